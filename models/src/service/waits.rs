//! What an instance's tasks wait for, and how it stands.

use super::{Instance, Work};
use crate::node::Timer;
use crate::registry::AnyRegistrar;
use crate::waits::Wait;

impl Instance {
    /// What each request that it has waits for, and what its registration does. A request in the queue waits for those
    /// that are being served, which is nobody else's doing.
    pub fn waits(&self) -> Vec<Wait> {
        let task = |work: &Work| format!("attempt {} of {:?}", work.attempt.request, work.client);
        let serving = (0..).zip(&self.serving).filter_map(|(slot, work)| Some((slot, work.as_ref()?)));
        let serving =
            serving.map(|(slot, work)| Wait::new(task(work), "its service", []).by(Timer::Served { slot }));
        let queued = self.waiting.iter().map(|work| Wait::new(task(work), "a free slot", []));
        let late = self
            .late
            .iter()
            .map(|(&place, work)| Wait::new(task(work), "a failpoint", []).by(Timer::ServeLate { place }));
        let registration = self.registrar.iter().flat_map(AnyRegistrar::waits);
        serving.chain(queued).chain(late).chain(registration).collect()
    }

    /// How it stands, in a line.
    pub fn summary(&self) -> String {
        let registered = if self.is_registered() { "registered" } else { "not registered" };
        format!(
            "an instance, {registered}; it serves {} requests, and {} wait",
            self.busy,
            self.waiting.len()
        )
    }
}
