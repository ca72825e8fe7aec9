//! Notes: a witness that writes down, when it is told to, what happens to whom and what it asks for.

use std::fmt::Debug;

use schism_core::{Effect, Fault, FaultId, Happening, NodeId, Scene, Traced, Witness};
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Process;
use schism_models::observation::Observation;

/// What has been written down since it was last asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// None while nobody wants to know.
    page: Option<Page>,
}

/// What one step of a run was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// To whom it happened, and what; none of a deed of the nemesis.
    pub(super) event: Option<(NodeId, String)>,
    /// What was asked for, and by whom.
    pub(super) deeds: Vec<(NodeId, String)>,
}

impl Notes {
    /// Begins to write.
    pub(super) fn open() -> Notes {
        Notes { page: Some(Page::default()) }
    }

    /// Begins or ends to write.
    pub(super) fn attend(&mut self, wanted: bool) {
        self.page = wanted.then(Page::default);
    }

    /// What has been written, and an empty page instead.
    pub(super) fn take(&mut self) -> Page {
        self.page.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl<P: Process + Debug> Witness<P> for Notes {
    const TRACES: bool = true;

    fn observe(&mut self, _: &Scene<'_>, _: NodeId, _: &Observation) {}

    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}

    fn on_exit(&mut self, _: &Scene<'_>, _: NodeId, _: FaultId) {}

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, P>) {
        if let Some(page) = &mut self.page {
            page.event = Some((event.to, happening(scene, &event.what)));
        }
    }

    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<P>]) {
        if let Some(page) = &mut self.page {
            page.deeds.extend(effects.iter().map(|effect| (by, deed(scene, effect))));
        }
    }
}

impl Audience for Notes {
    fn fault_began(&mut self, _: &Scene<'_>, _: usize, _: &Struck) {}
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}

/// What happens to a node.
fn happening<P: Process>(scene: &Scene<'_>, what: &Happening<'_, P>) -> String {
    let name = |node: NodeId| scene.name(node);
    match *what {
        Happening::Message { from, msg, .. } => format!("message from {}: {msg:?}", name(from)),
        Happening::Timer(timer) => format!("timer {timer:?}"),
        Happening::Plight => "what ails it has changed".to_owned(),
        Happening::Reset { peer } => format!("reset by {}", name(peer)),
        Happening::Retransmit { peer } => format!("retransmission to {}", name(peer)),
        Happening::Boot => "its supervisor starts it".to_owned(),
        Happening::Open { peer } => format!("{} asks for a connection", name(peer)),
        Happening::Accepted { peer } => format!("{} accepts the connection", name(peer)),
    }
}

/// What a node asks for.
fn deed<P: Process + Debug>(scene: &Scene<'_>, effect: &Effect<P>) -> String {
    let name = |node: NodeId| scene.name(node);
    match effect {
        Effect::Send { to, msg, .. } | Effect::Stream { to, msg, .. } => {
            format!("sends to {}: {msg:?}", name(*to))
        }
        Effect::HangUp { to } => format!("hangs up on {}", name(*to)),
        Effect::Timer { at, timer } => format!("sets a timer for {at}: {timer:?}"),
        Effect::Write(record) => format!("writes {record:?}"),
        Effect::Sync => "syncs its disk".to_owned(),
        Effect::Touch { by } => format!("counts for fault {}", by.0),
        Effect::Exit { .. } => "ends its process".to_owned(),
        Effect::Recycle { node, after } => format!("has {} killed, and started {after} later", name(*node)),
        Effect::Observe(seen) => format!("observes {seen:?}"),
    }
}
