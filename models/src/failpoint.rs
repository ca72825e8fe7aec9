//! Failpoints: named places in the models at which a fault makes what is done there fail, come late, or end the process.

use std::collections::BTreeMap;

use schism_core::{Duration, FaultId, Ratio};

use crate::nemesis::Wants;
use crate::node::Ctx;
use crate::plight::Plight;

/// Makes the points from their catalog.
macro_rules! points {
    ($($point:ident = $name:literal, $wants:ident, $about:literal;)*) => {
        /// A place that is passed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Point {
            $(#[doc = $about] $point,)*
        }

        impl Point {
            /// The names a scenario may write, with what each is and means, in the order in which `schism list` shows
            /// them.
            pub const CATALOG: &[(&str, &str, Point)] = &[$(($name, $about, Point::$point),)*];

            /// Its name in the catalog.
            pub fn name(self) -> &'static str {
                match self { $(Point::$point => $name,)* }
            }

            /// What kind of process passes it.
            pub fn wants(self) -> Wants {
                match self { $(Point::$point => Wants::$wants,)* }
            }
        }
    };
}

points! {
    RegistryGrant = "registry.grant", Members, "a member is asked for a lease";
    RegistryRegister = "registry.register", Members, "a member is asked to write an instance's key";
    RegistryRenew = "registry.renew", Members, "a member is asked to keep a lease alive";
    RegistryRevoke = "registry.revoke", Members, "the leader is about to revoke a lease that has run out";
    RegistryList = "registry.list", Members, "a member is asked for a list";
    RegistryWatch = "registry.watch", Members, "a member is asked for a watch";
    RegistryPropose = "registry.propose", Members, "a member is about to propose a write";
    RegistryFsync = "registry.fsync", Members, "a member is about to sync its log";
    ClientList = "client.list", Clients, "a client is about to ask for a list";
    ClientWatch = "client.watch", Clients, "a client is about to ask for a watch";
    ClientSend = "client.send", Clients, "a client is about to send an attempt to an instance";
    InstanceRegister = "instance.register", Instances, "an instance is about to ask for a lease, to register";
    InstanceRenew = "instance.renew", Instances, "an instance is about to ask to keep its lease alive";
    InstanceServe = "instance.serve", Instances, "an instance has got a request";
}

/// What happens at a point, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failpoint {
    /// Where.
    pub point: Point,
    /// What.
    pub action: Action,
    /// At which passes.
    pub hits: Hits,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// What is done there fails.
    Fail,
    /// It is done later.
    Delay(Duration),
    /// The process ends.
    Panic,
}

/// At which passes it happens. Each process counts its own, since it booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hits {
    /// At this share of them, drawn.
    Share(Ratio),
    /// At this one, counted from 1.
    Nth(u64),
}

/// How often a process has passed points that something was wrong with, by fault.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    counts: BTreeMap<FaultId, u64>,
}

/// What a process meets at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Nothing.
    Clear,
    /// What it is about to do fails, because of this fault.
    Fails(FaultId),
    /// What it is about to do is done so much later.
    Late(Duration),
    /// The process ends: nothing is done any more.
    Ends,
}

impl Passes {
    /// The process passes a point. Of several faults one that ends it wins, then one that fails; delays add up.
    pub fn pass(&mut self, ctx: &mut Ctx<'_>, point: Point) -> Pass {
        let mut met = Pass::Clear;
        for (ailment, failpoint) in ctx.plight().into_iter().flat_map(Plight::failpoints) {
            if failpoint.point != point {
                continue;
            }
            let count = self.counts.entry(ailment.by).or_default();
            *count += 1;
            let hit = match failpoint.hits {
                Hits::Share(share) => ailment.luck.derive(*count).chance(share),
                Hits::Nth(nth) => *count == nth,
            };
            if hit {
                ctx.touch(ailment.by);
                met = met.and(ctx, ailment.by, failpoint.action);
            }
        }
        met
    }
}

impl Pass {
    fn and(self, ctx: &mut Ctx<'_>, by: FaultId, action: Action) -> Pass {
        match (self, action) {
            (Pass::Ends, _) => Pass::Ends,
            (Pass::Clear | Pass::Fails(_) | Pass::Late(_), Action::Panic) => {
                ctx.exit(by);
                Pass::Ends
            }
            (Pass::Fails(first), _) => Pass::Fails(first),
            (Pass::Clear | Pass::Late(_), Action::Fail) => Pass::Fails(by),
            (Pass::Clear, Action::Delay(delay)) => Pass::Late(delay),
            (Pass::Late(first), Action::Delay(delay)) => Pass::Late(first + delay),
        }
    }
}
