//! Death: how a process ends, for those that are connected to it and for what is on its disk.

/// How a process dies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Death {
    /// What its peers notice.
    pub farewell: Farewell,
    /// What its disk loses.
    pub disk: Toll,
}

impl Death {
    /// The process alone dies, as by SIGKILL: its host lives on, delivers what it had written, ends its connections and
    /// keeps the page cache.
    pub const KILLED: Death = Death { farewell: Farewell::Reset, disk: Toll::Nothing };
    /// Its host loses power: nobody answers for it, and what had not been synced is gone.
    pub const POWER_LOSS: Death = Death { farewell: Farewell::Silence, disk: Toll::Unsynced };
    /// Its host is lost for good with its disk: who restarts has nothing.
    pub const DISK_LOSS: Death = Death { farewell: Farewell::Silence, disk: Toll::Everything };

    /// Whether nothing is left for another death to take, once this one has been died.
    pub fn takes_all_of(self, other: Death) -> bool {
        self.farewell >= other.farewell && self.disk >= other.disk
    }

    /// All that two deaths take together.
    #[must_use]
    pub fn and(self, other: Death) -> Death {
        Death { farewell: self.farewell.max(other.farewell), disk: self.disk.max(other.disk) }
    }
}

/// What the peers of a process notice of its death; the later variant takes more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Farewell {
    /// Its host lives: it delivers what had been written, then ends the connections, and resets whatever comes later.
    Reset,
    /// Its host is dead, too. It says nothing, and what reaches it is lost until the process restarts: then the host
    /// resets what it does not know.
    Silence,
}

/// What a disk loses with a process; the later variant takes more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Toll {
    /// Nothing: what was written but not synced is in the page cache of a host that lives.
    Nothing,
    /// What was written and not synced.
    Unsynced,
    /// All that was ever on it.
    Everything,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_deaths_either_may_take_more_and_together_they_take_most() {
        assert!(Death::POWER_LOSS.takes_all_of(Death::KILLED));
        assert!(!Death::KILLED.takes_all_of(Death::POWER_LOSS));
        let wiped = Death { disk: Toll::Everything, ..Death::KILLED };
        assert!(!wiped.takes_all_of(Death::POWER_LOSS) && !Death::POWER_LOSS.takes_all_of(wiped));
        assert_eq!(wiped.and(Death::POWER_LOSS), Death::DISK_LOSS);
    }
}
