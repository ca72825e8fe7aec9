//! A member: Raft, the store and the lessor behind one door, and the requests that wait for them.

mod ails;
mod apply;
mod claims;
mod clients;
mod disk;
mod keeps;
mod lag;
mod late;
mod reads;
mod revokes;
mod settle;
mod waits;
mod watches;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Duration, FaultId, Luck, NodeId, Time};

use self::disk::Syncs;
use self::keeps::{Asker, Keeping};
use self::lag::Past;
use self::late::Late;
use self::reads::Reading;
use self::revokes::Batch;
use super::api::Msg;
use super::lessor::{Lessor, SWEEP};
use super::log::{Disk, Entry, Raft};
use super::replay::replay;
use super::store::{LeaseId, Store};
use super::{Config, LeaseClock, WatchLeader};
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::listing::{Change, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::plight::{Deregister, Plight};
use crate::registry::ail::{Ghosts, Lag, Throttles};
use crate::registry::history::History;
use crate::registry::raft::{Peer, Settings};
use crate::registry::watchers::Watchers;
use crate::registry::{self, Server};
use crate::waits::Wait;

/// Where a member sits.
#[derive(Clone, Debug)]
struct Seat {
    /// Its constants.
    config: Arc<Config>,
    /// Its number.
    me: Peer,
    /// All members' nodes, by number.
    members: Vec<NodeId>,
    /// How many services there are.
    services: u16,
}

/// What a member reminds itself of.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Timer {
    /// A Raft tick.
    Tick,
    /// The lessor's sweep.
    Sweep,
    /// The disk has what it was given.
    Synced,
    /// A request has taken too long.
    TimedOut(u64),
    /// A read should ask again.
    ReadAgain(u64),
    /// A bucket of the table has moved.
    Moved,
    /// It is time to show a change of some time ago.
    Lag,
    /// It is time to see whether there is a leader, for watches that require one.
    Leader,
    /// It is time for something that was put off.
    Late(u64),
}

/// A registry member.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat,
    raft: Raft,
    store: Store,
    lessor: Lessor,
    applied: u64,
    history: History,
    led: bool,
    disk: Syncs,
    /// How long each sync takes.
    fsync: Luck,
    /// The number of the last request taken.
    last: u64,
    /// Requests that wait for their entry to be applied.
    proposed: BTreeMap<u64, Waiting>,
    /// Entries that wait for a leader.
    leaderless: Vec<Entry>,
    /// Keepalives that wait for the leader.
    keeps: BTreeMap<u64, Keeping>,
    reads: Reading,
    watchers: Watchers,
    /// Who waits for a claim on a lock to go.
    claim_watchers: BTreeMap<(u32, LeaseId), BTreeSet<NodeId>>,
    /// How often in a row there was no leader when that was looked for.
    leaderless_for: u32,
    clients: BTreeSet<NodeId>,
    /// Changes that watchers have not been told.
    news: BTreeMap<ServiceId, Vec<Change>>,
    /// Expired leases that this leader has yet to propose to revoke, by sweep.
    revoking: Vec<Batch>,
    /// What readers and watchers are shown, where that is not the store.
    lag: Option<Box<Lag<Past>>>,
    /// Instances that have gone, and stay on the lists.
    ghosts: Ghosts,
    /// What is left of the requests that throttles let through.
    throttles: Throttles,
    passes: Passes,
    /// What was put off at a failpoint, by number.
    late: BTreeMap<u64, Late>,
    last_late: u64,
}

/// A call and who made it.
#[derive(Clone, Copy, Debug)]
struct Caller {
    client: NodeId,
    call: u32,
}

#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// A client's write.
    Write(Caller),
    /// A revocation of the leader's own.
    Revoke,
}

impl Server for Member {
    type Msg = Msg;
    type Timer = super::Timer;

    fn keeps(&self) -> Keeps {
        Keeps {
            watches: self.watchers.len() + self.claim_watchers.values().map(BTreeSet::len).sum::<usize>(),
            sessions: self.store.leases().count(),
            pending: self.proposed.len() + self.leaderless.len() + self.keeps.len(),
        }
    }

    fn waits(&self) -> Vec<Wait> {
        self.tasks()
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if self.hears(ctx, from, &msg) {
            self.hear(ctx, from, msg);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        match timer {
            super::Timer::Member(Timer::Tick) => {
                ctx.after(self.seat.config.heartbeat, Timer::Tick.into());
                // The goroutine that ticks is the one that waits for the disk (server/etcdserver/raft.go, `start`).
                if !self.disk.is_stuck() {
                    self.raft.tick();
                    self.settle(ctx);
                }
            }
            super::Timer::Member(Timer::Sweep) => {
                ctx.after(SWEEP, Timer::Sweep.into());
                self.sweep(ctx);
            }
            super::Timer::Member(Timer::Synced) => self.on_synced(ctx),
            super::Timer::Member(Timer::TimedOut(number)) => self.on_timed_out(ctx, number),
            super::Timer::Member(Timer::ReadAgain(number)) => self.on_read_again(ctx, number),
            super::Timer::Member(Timer::Moved) => self.unlock_reads(ctx),
            super::Timer::Member(Timer::Lag) => self.on_lag(ctx),
            super::Timer::Member(Timer::Leader) => self.look_for_leader(ctx),
            super::Timer::Member(Timer::Late(number)) => self.on_late(ctx, number),
            super::Timer::Registrar(_)
            | super::Timer::Subscriber(_)
            | super::Timer::Session(_)
            | super::Timer::Locker(_) => {
                unreachable!("a member has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, _: &mut Ctx<'_>, peer: NodeId) {
        self.forget(peer);
    }

    /// A disk that is well again ends the sync that was stuck. One that is told to end hands
    /// leadership over first, if it has it and there is an heir (server/etcdserver/server.go, `Stop`).
    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        self.look_at_disk(ctx);
        self.mind_ails(ctx);
        if let Some((by, _)) = stopping(ctx) {
            if self.raft.hand_over() {
                ctx.touch(by);
                self.settle(ctx);
            } else if !self.raft.leads() {
                ctx.exit(by);
            }
        }
    }

    /// The members and clients with an open connection.
    fn peers(&self) -> Vec<NodeId> {
        let me = self.seat.members[self.seat.me as usize];
        self.seat
            .members
            .iter()
            .copied()
            .filter(|&member| member != me)
            .chain(self.clients.iter().copied())
            .collect()
    }

    fn leads(&self) -> Option<u64> {
        self.raft.leads().then_some(self.raft.term)
    }
}

impl Member {
    /// A member as it boots, with what its disk holds.
    pub fn boot(seat: &registry::Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let seat = Seat {
            config: seat.config.clone(),
            me: seat.me as Peer,
            members: seat.layout.members.iter().map(|member| member.0).collect(),
            services: seat.layout.services.len() as u16,
        };
        let election_ticks =
            (seat.config.election.as_nanos() / seat.config.heartbeat.as_nanos()).max(1) as u32;
        let settings = Settings {
            me: seat.me,
            members: seat.members.len() as u8,
            election_ticks,
            pre_vote: seat.config.version.pre_votes(),
        };
        let mut raft = Raft::new(settings, disk.term, disk.vote, disk.log.clone(), ctx.luck("election"));
        raft.commit = disk.commit;
        let store = replay(&disk.log, seat.services, disk.commit);
        // Members are not started in the same instant: each has its own phase of ticks and of sweeps.
        let mut phases = ctx.luck("phases");
        let tick = phases.draw().unit();
        let sweep = phases.draw().unit();
        ctx.after(portion(seat.config.heartbeat, tick), Timer::Tick.into());
        ctx.after(portion(SWEEP, sweep), Timer::Sweep.into());
        if seat.config.watch_leader == WatchLeader::Required {
            ctx.after(seat.config.election, Timer::Leader.into());
        }
        for listing in store.listings() {
            ctx.observe(Observation::View(listing.clone()));
        }
        let mut member = Member {
            applied: disk.commit,
            history: History::new(ctx.moment(), disk.commit),
            raft,
            store,
            lessor: Lessor::Secondary,
            led: false,
            disk: Syncs::new((disk.term, disk.vote)),
            fsync: ctx.luck("fsync"),
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
            proposed: BTreeMap::new(),
            leaderless: Vec::new(),
            keeps: BTreeMap::new(),
            reads: Reading::default(),
            watchers: Watchers::default(),
            claim_watchers: BTreeMap::new(),
            leaderless_for: 0,
            clients: BTreeSet::new(),
            news: BTreeMap::new(),
            revoking: Vec::new(),
            lag: None,
            ghosts: Ghosts::default(),
            throttles: Throttles::default(),
            passes: Passes::default(),
            late: BTreeMap::new(),
            last_late: 0,
            seat,
        };
        member.mind_lag(ctx);
        member
    }

    /// The term it is in.
    pub fn term(&self) -> u64 {
        self.raft.term
    }

    /// The leases and keys as this member has them.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Raft(message) => {
                if let Some(peer) = self.peer(from) {
                    self.raft.step(peer, message);
                    self.settle(ctx);
                }
            }
            Msg::Forward { ticket, lease } => {
                self.keep_alive(ctx, Keeping { lease, asker: Asker::Member(from, ticket) });
            }
            Msg::Forwarded { ticket, ttl } => self.kept_alive(ctx, ticket, Ok(ttl)),
            Msg::KeepAlive { lease } => {
                self.clients.insert(from);
                self.keep_alive(ctx, Keeping { lease, asker: Asker::Client(from) });
            }
            Msg::Ask { call, ask } => {
                self.clients.insert(from);
                self.on_ask(ctx, Caller { client: from, call }, ask);
            }
            Msg::Watch { service, after } => {
                self.clients.insert(from);
                self.watch(ctx, from, service, after);
            }
            Msg::WatchClaim { lock, lease, after } => {
                self.clients.insert(from);
                self.watch_claim(ctx, from, lock, lease, after);
            }
            Msg::Ping => {
                self.clients.insert(from);
                ctx.stream(from, Msg::Pong.into());
            }
            // What members tell clients.
            Msg::Answer { .. }
            | Msg::KeptAlive { .. }
            | Msg::Changes(_)
            | Msg::Compacted { .. }
            | Msg::NoLeader { .. }
            | Msg::ClaimGone { .. }
            | Msg::Pong => {}
        }
    }

    /// What the clock reads that leases end by.
    fn lease_time(&self, ctx: &Ctx<'_>) -> Time {
        match self.seat.config.lease_clock {
            LeaseClock::Monotonic => ctx.now(),
            LeaseClock::Wall => ctx.wall(),
        }
    }

    fn peer(&self, node: NodeId) -> Option<Peer> {
        self.seat.members.iter().position(|&member| member == node).map(|peer| peer as Peer)
    }
}

/// Which fault has told the member to end, if one has.
fn stopping(ctx: &Ctx<'_>) -> Option<(FaultId, Deregister)> {
    ctx.plight().and_then(Plight::stopping)
}

/// A share of a duration.
fn portion(whole: Duration, share: f64) -> Duration {
    Duration::from_secs_f64(whole.as_secs_f64() * share)
}
