//! A server: its log, its tree, its part in elections, and what it is at present: looking, leading or following.

mod ails;
mod apply;
mod clients;
mod disk;
mod following;
mod lag;
mod late;
mod leading;
mod lines;
mod proposals;
mod turns;
mod votes;
mod watches;

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Luck, NodeId};

use self::clients::Conn;
use self::disk::Syncs;
use self::following::Following;
use self::late::Late;
use self::leading::Leading;
use self::votes::Cable;
use super::Config;
use super::api::{Leader, Learner, Msg};
use super::election::Election;
use super::log::{Disk, Log, Sid};
use super::tree::Tree;
use super::zxid::Zxid;
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::plight::Plight;
use crate::registry::ail::{Ghosts, Lag, Throttles};
use crate::registry::history::History;
use crate::registry::{Seat, Server};

/// What a server reminds itself of. Those with a number are of one turn: one time of looking, leading or following.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// What it was is closed, and it looks for a leader.
    Closed(u32),
    /// A wait of the election is over.
    Wait(u32),
    /// A vote has not been heard by a server.
    Resend(Sid, u64),
    /// A leader has loaded its database.
    Loaded(u32),
    /// A step of a leader's beginning may have taken too long.
    Beginning(u32, u8),
    /// Half a tick of a leader is over.
    HalfTick(u32),
    /// A follower of this leader may have been silent for too long.
    LearnerQuiet(u32, Sid),
    /// A bucket of sessions ends.
    Expiry(u32),
    /// A follower tries again to reach its leader.
    Retry(u32),
    /// A follower's leader may have been silent for too long.
    LeaderQuiet(u32),
    /// The disk has what it was given.
    Synced,
    /// A bucket of the table has moved.
    Moved,
    /// It is time to show a change of some time ago.
    Lag,
    /// It is time for something that was put off.
    Late(u64),
}

/// A server.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat<Config>,
    me: Sid,
    /// Where its host's clock is between two ticks when the model's reads zero.
    phase: Duration,
    log: Log,
    tree: Tree,
    /// The latest epoch that it has accepted.
    accepted: u32,
    /// The latest epoch that it has led or followed a leader of.
    current: u32,
    election: Election,
    /// To each of the others.
    cables: BTreeMap<Sid, Cable>,
    role: Role,
    /// Which turn it is: timers of earlier ones are void.
    turn: u32,
    /// Whether it stands back in the next election.
    stands_back: bool,
    restarts: Luck,
    disk: Syncs,
    /// The last proposal that is on the disk.
    synced: Zxid,
    /// How long each sync takes.
    fsync: Luck,
    /// The number of the last request, session, vote or read.
    last: u64,
    conns: BTreeMap<NodeId, Conn>,
    /// Who waits for which request that was handed on.
    asked: BTreeMap<u64, NodeId>,
    /// Who is to be told once when the children of a service's parent change.
    watchers: BTreeMap<ServiceId, BTreeSet<NodeId>>,
    /// Who waits for a node in the line for a lock to go, by the lock and the node's number.
    line_watchers: BTreeMap<(u32, u32), BTreeSet<NodeId>>,
    /// Lists that have changed, of which watchers have not been told.
    news: BTreeSet<ServiceId>,
    history: History,
    /// What readers and watchers are shown, where that is not the tree.
    lag: Option<Box<Lag<Tree>>>,
    /// Watchers that would have been told.
    held_back: BTreeSet<(ServiceId, NodeId)>,
    /// Instances that have gone, and stay on the lists.
    ghosts: Ghosts,
    /// What is left of the requests that throttles let through.
    throttles: Throttles,
    passes: Passes,
    /// What was put off at a failpoint, by number.
    late: BTreeMap<u64, Late>,
    /// Reads that wait until a bucket of the table has moved.
    locked: Vec<(NodeId, u32, ServiceId)>,
}

/// What a server is.
#[derive(Clone, Debug)]
enum Role {
    /// It has no leader (`LOOKING`).
    Looking,
    /// It leads, or is about to (`LEADING`).
    Leading(Box<Leading>),
    /// It follows, or is about to (`FOLLOWING`).
    Following(Following),
}

impl Member {
    /// A server as it boots, with what its disk holds.
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let servers = seat.layout.members.len() as Sid;
        let me = seat.me as Sid;
        let tree = disk.log.replay(seat.layout.services.len() as u16, disk.committed);
        for list in tree.lists() {
            ctx.observe(Observation::View(list.clone()));
        }
        let phase = portion(seat.config.tick, ctx.luck("ticks").draw().unit());
        let others = (0..servers).filter(|&server| server != me);
        let mut member = Member {
            me,
            phase,
            log: disk.log.clone(),
            history: History::new(ctx.moment(), disk.committed.revision()),
            tree,
            accepted: disk.accepted,
            current: disk.current,
            election: Election::new(me, servers),
            cables: others.map(|server| (server, Cable::default())).collect(),
            role: Role::Looking,
            turn: 0,
            stands_back: false,
            restarts: ctx.luck("restarts"),
            disk: Syncs::new((disk.accepted, disk.current)),
            synced: disk.log.last(),
            fsync: ctx.luck("fsync"),
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
            conns: BTreeMap::new(),
            asked: BTreeMap::new(),
            watchers: BTreeMap::new(),
            line_watchers: BTreeMap::new(),
            news: BTreeSet::new(),
            lag: None,
            held_back: BTreeSet::new(),
            ghosts: Ghosts::default(),
            throttles: Throttles::default(),
            passes: Passes::default(),
            late: BTreeMap::new(),
            locked: Vec::new(),
            seat: seat.clone(),
        };
        member.mind_lag(ctx);
        member.close(ctx);
        member
    }

    fn on_learner(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Learner) {
        let Some(sid) = self.sid(from) else { return };
        match msg {
            Learner::Info { accepted } => self.on_info(ctx, sid, accepted),
            Learner::AckEpoch { .. }
            | Learner::AckLeader(_)
            | Learner::Ack(_)
            | Learner::Touches(_)
            | Learner::Submit { .. }
            | Learner::Sync { .. }
            | Learner::Revalidate { .. } => {
                if self.hears_learner(ctx, sid) {
                    self.hear_learner(ctx, sid, msg);
                }
            }
        }
    }

    fn on_leader(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Leader) {
        let Some(sid) = self.sid(from) else { return };
        if let Role::Following(following) = &mut self.role
            && following.leader == sid
        {
            following.heard = ctx.now();
            self.hear_leader(ctx, msg);
        }
    }

    /// Whether it serves clients.
    fn serves(&self) -> bool {
        match &self.role {
            Role::Looking => false,
            Role::Leading(leading) => leading.is_established(),
            Role::Following(following) => following.serves(),
        }
    }

    /// A number that this server has not used yet.
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn node(&self, sid: Sid) -> NodeId {
        self.seat.layout.members[sid as usize].0
    }

    fn sid(&self, node: NodeId) -> Option<Sid> {
        self.seat.layout.member_at(node).map(|at| at as Sid)
    }

    fn services(&self) -> u16 {
        self.seat.layout.services.len() as u16
    }
}

impl Server for Member {
    type Msg = Msg;
    type Timer = super::Timer;

    fn keeps(&self) -> Keeps {
        let lists = self.watchers.values().map(BTreeSet::len);
        Keeps {
            watches: lists.chain(self.line_watchers.values().map(BTreeSet::len)).sum(),
            sessions: self.tree.sessions().count(),
            pending: self.asked.len() + self.locked.len(),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Vote { number, told } => self.on_told(ctx, from, number, told),
            Msg::Heard { number } => self.on_vote_heard(from, number),
            Msg::Learner(msg) => self.on_learner(ctx, from, msg),
            Msg::Leader(msg) => self.on_leader(ctx, from, msg),
            Msg::Client(msg) => {
                if self.hears(ctx, from, &msg) {
                    self.hear_client(ctx, from, msg);
                }
            }
            // What servers tell clients.
            Msg::Server(_) => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        let super::Timer::Member(timer) = timer else { unreachable!("a server has no {timer:?}") };
        match timer {
            Timer::Closed(turn) => self.on_closed(ctx, turn),
            Timer::Wait(number) => {
                self.election.on_wait(number);
                self.settle_election(ctx);
            }
            Timer::Resend(to, number) => self.on_resend(ctx, to, number),
            Timer::Loaded(turn) if self.is_turn(turn) => self.on_loaded(ctx),
            Timer::Beginning(turn, step) if self.is_turn(turn) => self.on_beginning(ctx, step),
            Timer::HalfTick(turn) if self.is_turn(turn) => self.on_half_tick(ctx),
            Timer::LearnerQuiet(turn, sid) if self.is_turn(turn) => self.on_learner_quiet(ctx, sid),
            Timer::Expiry(turn) if self.is_turn(turn) => self.on_expiry(ctx),
            Timer::Retry(turn) if self.is_turn(turn) => self.on_retry(ctx),
            Timer::LeaderQuiet(turn) if self.is_turn(turn) => self.on_leader_quiet(ctx),
            Timer::Loaded(_)
            | Timer::Beginning(..)
            | Timer::HalfTick(_)
            | Timer::LearnerQuiet(..)
            | Timer::Expiry(_)
            | Timer::Retry(_)
            | Timer::LeaderQuiet(_) => {}
            Timer::Synced => self.on_synced(ctx),
            Timer::Moved => self.unlock_reads(ctx),
            Timer::Lag => self.on_lag(ctx),
            Timer::Late(number) => self.on_late(ctx, number),
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self.sid(peer) {
            Some(sid) => {
                self.drop_learner(sid);
                self.lose_leader(ctx, sid);
            }
            None => self.forget_client(peer),
        }
    }

    /// What ails it has changed. One that is told to end closes its connections and does.
    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        self.look_at_disk(ctx);
        self.mind_ails(ctx);
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping) {
            ctx.exit(by);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        let others = self.cables.keys().map(|&sid| self.node(sid));
        others.chain(self.conns.keys().copied()).collect()
    }

    fn leads(&self) -> Option<u64> {
        match &self.role {
            Role::Leading(leading) if leading.is_established() => Some(self.current.into()),
            Role::Looking | Role::Leading(_) | Role::Following(_) => None,
        }
    }
}

/// A share of a duration, less than the whole.
fn portion(whole: Duration, share: f64) -> Duration {
    let part = (whole.as_nanos() as f64 * share) as u64;
    Duration::from_nanos(part.min(whole.as_nanos() - 1))
}
