//! A registry member whose code is the user's.

use std::collections::BTreeSet;

use schism_models::observation::{Cause, Observation, Write};

use super::Part;

/// A registry member. What it holds and writes is told by whoever looks into it: the registry is the user's, and nothing
/// else knows.
#[derive(Clone)]
pub struct Member(pub(crate) Part);

/// A write to the registry, for the witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'n> {
    /// A lease was granted.
    Granted,
    /// The key of this instance was written.
    Registered(&'n str),
    /// The key of this instance was removed.
    Removed(&'n str, Cause),
    /// Something else was written.
    Put,
}

impl Member {
    /// It has become the leader of a term.
    pub fn leads(&self, term: u64) {
        self.observe(Observation::Leads { term });
    }

    /// It has ceased to lead, in this term.
    pub fn deposed(&self, term: u64) {
        self.observe(Observation::Deposed { term });
    }

    /// It has served a read.
    pub fn read(&self) {
        self.observe(Observation::Read);
    }

    /// It has extended a lease.
    pub fn extended(&self) {
        self.observe(Observation::Extended);
    }

    /// It has applied a write on which the members have agreed, with its number in their log.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    #[track_caller]
    pub fn committed(&self, at: u64, written: Written<'_>) {
        let write = self.write(written);
        self.observe(Observation::Committed { at, write });
    }

    /// It has written to a table of its own, and asked nobody: an instance is registered while any live member lists it.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    #[track_caller]
    pub fn wrote(&self, written: Written<'_>) {
        let write = self.write(written);
        self.observe(Observation::Wrote(write));
    }

    /// It holds this list of a service: the one verb that suffices for whoever can look into a registry and not be told of
    /// its writes. Whoever has come since the last time has been [written](Member::wrote) to its table; whoever has gone
    /// has expired, unless it was said before that it was removed for another cause.
    ///
    /// # Panics
    ///
    /// If there is no such service, or no such instance of it.
    #[track_caller]
    pub fn holds<S: AsRef<str>>(&self, service: &str, instances: impl IntoIterator<Item = S>) {
        let of = self.service(service);
        let before = self.memory().views.get(&of).cloned().unwrap_or_default();
        let names: Vec<S> = instances.into_iter().collect();
        let mut now = BTreeSet::new();
        for name in &names {
            now.insert(self.instance(name.as_ref()).1.node);
        }
        for gone in before.difference(&now) {
            self.observe(Observation::Wrote(Write::Remove(*gone, Cause::Expired)));
        }
        for come in now.difference(&before) {
            self.observe(Observation::Wrote(Write::Register(*come)));
        }
        self.view(service, names);
    }

    /// It holds this list of a service, which it has otherwise told how it came to.
    ///
    /// # Panics
    ///
    /// If there is no such service, or no such instance of it.
    #[track_caller]
    pub fn sees<S: AsRef<str>>(&self, service: &str, instances: impl IntoIterator<Item = S>) {
        self.view(service, instances);
    }

    /// It has changed its mind about an instance.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    #[track_caller]
    pub fn believes(&self, instance: &str, up: bool) {
        self.opinion(instance, up);
    }

    #[track_caller]
    fn write(&self, written: Written<'_>) -> Write {
        match written {
            Written::Granted => Write::Grant,
            Written::Registered(instance) => Write::Register(self.instance(instance).1.node),
            Written::Removed(instance, cause) => Write::Remove(self.instance(instance).1.node, cause),
            Written::Put => Write::Put,
        }
    }
}
