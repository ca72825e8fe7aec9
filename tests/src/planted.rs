//! Planted bugs: processes around the models that misbehave as a buggy implementation would, each in one way.
//!
//! They change what the models hear and say, from outside: which messages get through to the process within, which of
//! those that it asks for are sent, and what witnesses are told.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use schism_core::{Actor, Class, Ctx, Duration, Effect, NodeId, Time};
use schism_models::node::{Message, Node, Process, Role, Timer};
use schism_models::observation::Observation;
use schism_models::plight::Plight;
use schism_models::registry::etcd::Msg as Etcd;
use schism_models::registry::etcd::api::{Answer, Ask, Changes};
use schism_models::registry::etcd::store::LeaseId;
use schism_models::registry::{self, Msg};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A registrar does not register again once its lease was lost.
    NeverRegistersAgain,
    /// A leader that took over from another lets the keepalives of one lease drop.
    DropsKeepalives,
    /// A client's cache ignores that instances go.
    IgnoresRemovals,
    /// A client whose connection was reset sends everything to the instance that it led to.
    SticksAfterReset,
    /// A member that has led and hears of a newer term takes it for its own.
    ClaimsNewTerm,
    /// An instance that is told to end stays on the list.
    ForgetsToLeave,
    /// A member that has started again has lost one instance.
    LosesOneWrite,
    /// A client's second watch delivers nothing.
    WatchGoesDeaf,
    /// A client does not heed its timeouts.
    IgnoresTimeouts,
    /// A client sets a timer each time that a connection of its is reset, and sets it again whenever it fires.
    NeverStopsTimers,
    /// A member does not drop the watch of a client whose connection is gone.
    KeepsWatches,
    /// An instance whose connection was reset keeps alive a lease that is not its own.
    RenewsAnothers,
    /// An instance whose connection was reset waits for nothing any more: what it was to do later it puts off to now.
    NeverWaits,
}

thread_local! {
    /// What is wrong with the processes that this thread runs: nothing tells a run of it, so it is said beside.
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Does something on threads whose runs of [`Planted`] processes have this bug.
///
/// # Panics
///
/// If there are no threads to be had.
pub fn with<T: Send>(bug: Bug, act: impl FnOnce() -> T + Send) -> T {
    let pool = ThreadPoolBuilder::new().num_threads(1).start_handler(move |_| PLANTED.set(Some(bug))).build();
    pool.expect("threads can be had").install(act)
}

fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// A process with the bug of the thread that runs it.
#[derive(Clone, Debug)]
pub struct Planted {
    inner: Node,
    memory: Memory,
}

/// What the bugs remember of a life.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// When it began: later than the run, if the process was started again.
    booted: Time,
    /// An instance's lease was lost.
    lost: bool,
    /// The term that a member leads, and when it came to.
    leads: Option<(u64, Time)>,
    /// The lease whose keepalives a leader drops.
    victim: Option<LeaseId>,
    /// The latest term that a member has led.
    led: Option<u64>,
    /// Whom a client has sent requests to.
    called: BTreeSet<NodeId>,
    /// Which instance's connection was reset.
    reset: Option<NodeId>,
    /// An instance's connection to the registry was.
    cut_off: bool,
    /// How often a client has asked for a watch.
    watches: u32,
}

/// A leader of the first moments of a run took over from nobody.
const SETTLED: Time = Time::from_nanos(5_000_000_000);

/// How long a timer runs that nobody needs.
const ENDLESS: Duration = Duration::from_secs(1);

type Context<'w> = Ctx<'w, Planted>;

impl Planted {
    /// The process within handles something; what it asks for is asked for as the bug would.
    fn handle(&mut self, ctx: &mut Context<'_>, act: impl FnOnce(&mut Node, &mut Ctx<'_, Node>)) {
        let ((), effects) = ctx.within(|ctx| act(&mut self.inner, ctx));
        self.obey(ctx, effects);
    }

    fn obey(&mut self, ctx: &mut Context<'_>, effects: Vec<Effect<Node>>) {
        for effect in effects {
            self.note(ctx, &effect);
            if let Some(effect) = self.twist(effect) {
                ctx.ask(effect);
            }
        }
    }

    fn note(&mut self, ctx: &Context<'_>, effect: &Effect<Node>) {
        if let Effect::Observe(Observation::LeaseLost) = effect {
            self.memory.lost = true;
        } else if let Effect::Observe(Observation::Leads { term }) = effect {
            self.memory.leads = Some((*term, ctx.moment()));
            self.memory.led = Some(*term);
        } else if let Effect::Observe(Observation::Deposed { .. }) = effect {
            self.memory.leads = None;
        } else if let Effect::Observe(Observation::Attempt { to, .. }) = effect {
            self.memory.called.insert(*to);
        } else if let Some(Etcd::Watch { .. }) = asked(effect) {
            self.memory.watches += 1;
        }
    }

    /// Whether a message gets through.
    fn hears(&mut self, ctx: &mut Context<'_>, message: &Message) -> bool {
        let Message::Registry(Msg::Etcd(msg)) = message else { return true };
        if let (Etcd::KeepAlive { lease } | Etcd::Forward { lease, .. }, Some((_, since))) =
            (&**msg, self.memory.leads)
            && is(Bug::DropsKeepalives)
            && since > SETTLED
        {
            return *self.memory.victim.get_or_insert(*lease) != *lease;
        }
        if let (Etcd::Raft(raft), Some(term)) = (&**msg, self.memory.led)
            && is(Bug::ClaimsNewTerm)
            && raft.term > term
        {
            self.memory.led = Some(raft.term);
            ctx.observe(Observation::Leads { term: raft.term });
        }
        if let Etcd::Changes(Changes { changes, .. }) = &**msg {
            let deaf = is(Bug::WatchGoesDeaf) && self.memory.watches > 1;
            let only_removals = is(Bug::IgnoresRemovals) && changes.iter().all(|change| !change.up);
            return !deaf && !only_removals;
        }
        true
    }

    /// What becomes of something that the process within has asked for.
    fn twist(&self, effect: Effect<Node>) -> Option<Effect<Node>> {
        let msg = asked(&effect);
        let silent = match msg {
            Some(Etcd::Ask { ask: Ask::Grant { .. } | Ask::Register { .. }, .. }) => {
                is(Bug::NeverRegistersAgain) && self.memory.lost
            }
            Some(Etcd::Ask { ask: Ask::Revoke { .. }, .. }) => is(Bug::ForgetsToLeave),
            Some(_) | None => false,
        };
        if silent {
            return None;
        }
        if let Some(Etcd::KeepAlive { lease: LeaseId(own) }) = msg
            && is(Bug::RenewsAnothers)
            && self.memory.cut_off
        {
            let lease = LeaseId(own + 1);
            return Some(saying(effect, Etcd::KeepAlive { lease }));
        }
        if let Some(Etcd::Answer { call, answer: Answer::Listing(header, listing) }) = msg
            && is(Bug::LosesOneWrite)
            && self.memory.booted > Time::START
            && listing.endpoints.len() > 1
        {
            let mut listing = (**listing).clone();
            listing.endpoints.pop();
            let answer = Answer::Listing(*header, Arc::new(listing));
            let call = *call;
            return Some(saying(effect, Etcd::Answer { call, answer }));
        }
        Some(match self.memory.reset.filter(|_| is(Bug::SticksAfterReset)) {
            Some(peer) => to_this(effect, peer),
            None => effect,
        })
    }
}

/// What is said to etcd, or by it.
fn asked(effect: &Effect<Node>) -> Option<&Etcd> {
    if let Effect::Send { msg, .. } | Effect::Stream { msg, .. } = effect
        && let Message::Registry(Msg::Etcd(msg)) = msg
    {
        return Some(msg);
    }
    None
}

/// The same with another message of etcd's.
fn saying(mut effect: Effect<Node>, said: Etcd) -> Effect<Node> {
    if let Effect::Send { msg, .. } | Effect::Stream { msg, .. } = &mut effect {
        *msg = said.into();
    }
    effect
}

/// A request goes to this instance, whomever it was meant for.
fn to_this(mut effect: Effect<Node>, peer: NodeId) -> Effect<Node> {
    if let Effect::Send { to, msg: Message::Request { .. }, .. }
    | Effect::Stream { to, msg: Message::Request { .. }, .. }
    | Effect::Observe(Observation::Attempt { to, .. }) = &mut effect
    {
        *to = peer;
    }
    effect
}

impl Process for Planted {
    fn node(&self) -> &Node {
        &self.inner
    }
}

impl Actor for Planted {
    type Config = Role;
    type Msg = Message;
    type Timer = Timer;
    type Durable = registry::Disk;
    type Observation = Observation;
    type Plight = Plight;

    fn boot(role: &Role, disk: &registry::Disk, ctx: &mut Context<'_>) -> Self {
        let (inner, effects) = ctx.within(|ctx| Node::boot(role, disk, ctx));
        let mut planted = Planted { inner, memory: Memory { booted: ctx.moment(), ..Memory::default() } };
        planted.obey(ctx, effects);
        planted
    }

    fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, msg: Message) {
        if self.hears(ctx, &msg) {
            self.handle(ctx, |inner, ctx| inner.on_message(ctx, from, msg));
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>, timer: Timer) {
        if is(Bug::NeverStopsTimers) && matches!(timer, Timer::Leaked) {
            return ctx.after(ENDLESS, Timer::Leaked);
        }
        if is(Bug::NeverWaits) && self.memory.cut_off {
            ctx.after(Duration::ZERO, timer);
        } else if !(is(Bug::IgnoresTimeouts) && matches!(timer, Timer::TimeOut)) {
            self.handle(ctx, |inner, ctx| inner.on_timer(ctx, timer));
        }
    }

    fn on_reset(&mut self, ctx: &mut Context<'_>, peer: NodeId) {
        if self.memory.called.contains(&peer) {
            self.memory.reset = Some(peer);
        }
        if is(Bug::NeverStopsTimers) && matches!(self.inner, Node::Client(_)) {
            ctx.after(ENDLESS, Timer::Leaked);
        }
        if is(Bug::KeepsWatches) && matches!(self.inner, Node::Member(_)) {
            return;
        }
        self.memory.cut_off |= matches!(self.inner, Node::Instance(_)) && self.inner.peers().contains(&peer);
        self.handle(ctx, |inner, ctx| inner.on_reset(ctx, peer));
    }

    fn on_plight(&mut self, ctx: &mut Context<'_>) {
        self.handle(ctx, Node::on_plight);
    }

    fn peers(&self) -> Vec<NodeId> {
        self.inner.peers()
    }

    fn class(msg: &Message) -> Class {
        Node::class(msg)
    }

    fn size(msg: &Message) -> u64 {
        Node::size(msg)
    }
}
