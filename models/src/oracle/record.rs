//! The record: what follows from everything that has been observed, kept once for all oracles and metrics.

use std::collections::BTreeSet;

use schism_core::{Fault, NodeId, Scene, Time};

use super::{Agreement, Cast, Opinions, Plan, Register, Steady};
use crate::observation::Observation;

/// What follows from everything that has been observed.
#[derive(Clone)]
pub struct Record {
    /// What each node is.
    pub cast: Cast,
    /// The registry's committed state.
    pub register: Register,
    /// Who believes whom to be up.
    pub opinions: Opinions,
    /// Whether all of them believe the same.
    pub agreement: Agreement,
    /// How the plan of faults has gone.
    pub plan: Plan,
    /// Who has been up without a break since the registry last had a sign of life of it.
    pub steady: Steady,
    /// Nodes at whose address another process runs.
    usurped: BTreeSet<NodeId>,
}

impl Record {
    /// Before anything was observed, of a run with a warm-up until then.
    pub fn new(cast: Cast, warmup: Time) -> Record {
        Record {
            register: Register::new(&cast),
            opinions: Opinions::new(&cast),
            agreement: Agreement::new(&cast),
            steady: Steady::new(&cast),
            plan: Plan::new(warmup),
            usurped: BTreeSet::new(),
            cast,
        }
    }

    /// A node has observed something. What it says of requests leaves no trace here.
    pub fn observe(&mut self, now: Time, by: NodeId, seen: &Observation) {
        self.register.settle();
        self.opinions.settle();
        self.steady.observe(now, by, seen);
        match seen {
            Observation::View(listing) => self.opinions.on_view(&self.cast, by, listing),
            Observation::Believes { service, subject, up } => {
                self.opinions.on_believes(&self.cast, by, *service, *subject, *up);
            }
            Observation::Blind(service) => self.opinions.on_blind(&self.cast, by, *service),
            Observation::Committed { at, write } => self.register.on_committed(*at, *write),
            Observation::Wrote(write) => self.register.on_wrote(by, *write),
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::Registered
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Leads { .. }
            | Observation::Deposed { .. }
            | Observation::Read
            | Observation::Extended
            | Observation::Deems { .. }
            | Observation::Acquired { .. }
            | Observation::Released { .. }
            | Observation::LockLost { .. }
            | Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. }
            | Observation::Holds { .. } => {}
        }
        self.agreement.follow(now, self.opinions.changes());
    }

    /// A fault of the plan begins.
    pub fn on_begin(&mut self, now: Time) {
        self.plan.on_begin(now);
    }

    /// A fault of the plan heals.
    pub fn on_heal(&mut self, now: Time) {
        self.plan.on_heal(now);
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        self.cast.name(node)
    }

    /// Another process runs at a node's address from now on, until the next begins there.
    pub fn on_usurped(&mut self, node: NodeId) {
        self.usurped.insert(node);
    }

    /// Whether another process runs at a node's address.
    #[inline]
    pub fn is_usurped(&self, node: NodeId) -> bool {
        !self.usurped.is_empty() && self.usurped.contains(&node)
    }

    /// Whether an attempt sent to this node now cannot be answered by whom it is meant for.
    #[inline]
    pub fn is_misrouted(&self, scene: &Scene<'_>, by: NodeId, to: NodeId) -> bool {
        !scene.can_answer(by, to) || self.is_usurped(to)
    }

    /// A fault has been inflicted: who dies believes nothing any more.
    pub fn on_fault(&mut self, now: Time, fault: &Fault) {
        self.register.settle();
        self.opinions.settle();
        self.steady.on_fault(now, fault);
        match fault {
            Fault::Crash(node, _) => {
                self.opinions.on_crash(&self.cast, *node);
                self.register.on_crash(*node);
            }
            // What ran at its address has ended before.
            Fault::Restart(node) => {
                self.usurped.remove(node);
            }
            Fault::Pause(_)
            | Fault::Resume(_)
            | Fault::Cut(_)
            | Fault::Mend(_)
            | Fault::Impair(_)
            | Fault::Repair(_)
            | Fault::Sever { .. }
            | Fault::FakeSyncs(_)
            | Fault::MakeSyncs(_)
            | Fault::PowerOn(_)
            | Fault::SetClock(..) => {}
        }
        self.agreement.follow(now, self.opinions.changes());
    }
}
