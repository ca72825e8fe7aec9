//! Forks: the same run up to a moment, and from there on with other faults.
//!
//! Only what has not begun can be changed honestly: everything else was there from the start, and a run with another
//! timeout is another run from its first request on.

use schism_core::Time;
use schism_models::nemesis::{OnMiss, Planned};
use schism_models::node::Process;
use schism_scenario::Scenario;

use super::Inspection;

/// Why a run cannot be forked so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotForked {
    /// There is no fault of this name, but there are these.
    NoFault(String, Vec<String>),
    /// This fault has begun already, then.
    Begun(String, Time),
    /// This fault would begin at another moment.
    OtherStart(String),
    /// Something other than a fault is changed.
    NotAFault,
    /// Another number of faults, or faults in another order.
    OtherFaults,
}

impl<P: Process> Inspection<P> {
    /// From here on these faults never begin. The run is another from now on, and cannot go back behind this moment.
    ///
    /// # Errors
    ///
    /// If one of them is not there or has begun. Then nothing is changed.
    pub fn fork_without(&mut self, ids: &[String]) -> Result<(), NotForked> {
        let numbers = ids.iter().map(|id| self.still_to_come(id)).collect::<Result<Vec<_>, _>>()?;
        for number in numbers {
            self.now.forgo(number);
            // That it touches nothing is what was asked for.
            self.scenario.faults[number].on_miss = OnMiss::Fine;
        }
        self.part();
        Ok(())
    }

    /// From here on the faults that have not begun are those of another scenario, which must be the same otherwise.
    ///
    /// # Errors
    ///
    /// If more than such faults differs. Then nothing is changed.
    pub fn fork(&mut self, changed: Scenario) -> Result<(), NotForked> {
        if rest(&self.scenario) != rest(&changed) {
            return Err(NotForked::NotAFault);
        }
        let ids =
            |scenario: &Scenario| scenario.faults.iter().map(|fault| fault.id.clone()).collect::<Vec<_>>();
        if ids(&self.scenario) != ids(&changed) {
            return Err(NotForked::OtherFaults);
        }
        let pairs = self.scenario.faults.iter().zip(&changed.faults).enumerate();
        let differ: Vec<(usize, Planned)> =
            pairs.filter(|(_, (a, b))| a != b).map(|(number, (_, after))| (number, after.clone())).collect();
        for (number, after) in &differ {
            self.still_to_come(&after.id)?;
            if self.scenario.faults[*number].start != after.start {
                return Err(NotForked::OtherStart(after.id.clone()));
            }
        }
        for (number, after) in differ {
            self.now.amend(number, after);
        }
        self.scenario = changed;
        self.part();
        Ok(())
    }

    /// The place in the plan of a fault that has not begun.
    fn still_to_come(&self, id: &str) -> Result<usize, NotForked> {
        let faults = &self.scenario.faults;
        let number = faults.iter().position(|fault| fault.id == id).ok_or_else(|| {
            NotForked::NoFault(id.to_owned(), faults.iter().map(|fault| fault.id.clone()).collect())
        })?;
        let probe = self.now.witness();
        match (probe.begun.get(&number), probe.active.get(&number)) {
            (None, _) => Ok(number),
            (Some(_), since) => Err(NotForked::Begun(id.to_owned(), since.copied().unwrap_or(self.at()))),
        }
    }

    pub(super) fn part(&mut self) {
        self.checkpoints = vec![self.now.clone()];
        self.forked = Some(self.at());
    }
}

/// All of a scenario but its faults.
fn rest(scenario: &Scenario) -> String {
    Scenario { faults: Vec::new(), ..scenario.clone() }.to_toml()
}
