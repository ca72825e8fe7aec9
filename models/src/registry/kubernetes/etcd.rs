//! A control-plane node's etcd: Raft over a disk. What is committed is applied by the API server above it.

use schism_core::{Distribution, Duration, FaultId, NodeId};

use super::api::Msg;
use super::backoff::Draws;
use super::member::Timer;
use super::store::Command;
use crate::failpoint::{Pass, Passes, Point};
use crate::node::Ctx;
use crate::plight::{BadDisk, Plight};
use crate::registry;
use crate::registry::raft::log::{Disk, Entry, Record};
use crate::registry::raft::{Message, Output, Peer, Raft, Settings};

/// Raft, its disk, and what waits for either.
#[derive(Clone, Debug)]
pub(super) struct Etcd {
    raft: Raft<Command>,
    me: Peer,
    members: Vec<NodeId>,
    fsync: Distribution,
    luck: Draws,
    saved: (u64, Option<Peer>),
    under_way: Option<Sync>,
    /// Whether the sync under way should have ended, and the disk does not let it.
    stuck: bool,
    /// Messages that may leave only once what has changed is on disk.
    held: Vec<(Peer, Message<Command>)>,
    /// Entries that wait for a leader.
    leaderless: Vec<Entry<Command>>,
    applied: u64,
}

#[derive(Clone, Debug)]
struct Sync {
    /// Term and index of the last entry in it.
    last: (u64, u64),
    held: Vec<(Peer, Message<Command>)>,
}

/// etcd's tick: 100 ms (`heartbeat-interval`; server/embed/config.go, v3.5).
pub(super) const HEARTBEAT: Duration = Duration::from_millis(100);
/// etcd's election timeout: 1 s (`election-timeout`).
const ELECTION_TICKS: u32 = 10;
/// How long an API server waits for its etcd: 7 s, 5 s and two election timeouts (server/etcdserver/config.go,
/// `ReqTimeout`).
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(7);

/// What an etcd begins with.
pub(super) struct Setting<'a> {
    pub(super) me: Peer,
    pub(super) members: Vec<NodeId>,
    pub(super) fsync: &'a Distribution,
}

impl Etcd {
    /// An etcd as it boots: all that its disk knows to be committed is applied already.
    pub(super) fn boot(setting: Setting<'_>, disk: &Disk<Command>, ctx: &Ctx<'_>) -> Etcd {
        let Setting { me, members, fsync } = setting;
        // PreVote is on since etcd 3.5, which every release that is modelled ships with.
        let settings =
            Settings { me, members: members.len() as u8, election_ticks: ELECTION_TICKS, pre_vote: true };
        let mut raft = Raft::new(settings, disk.term, disk.vote, disk.log.clone(), ctx.luck("election"));
        raft.commit = disk.commit;
        Etcd {
            raft,
            me,
            members,
            fsync: fsync.clone(),
            luck: Draws::new(ctx.luck("fsync")),
            saved: (disk.term, disk.vote),
            under_way: None,
            stuck: false,
            held: Vec::new(),
            leaderless: Vec::new(),
            applied: disk.commit,
        }
    }

    /// One heartbeat interval has passed.
    pub(super) fn tick(&mut self) {
        if !self.stuck {
            self.raft.tick();
        }
    }

    /// Another member's etcd has spoken.
    pub(super) fn step(&mut self, from: NodeId, message: Message<Command>) {
        if let Some(peer) = self.members.iter().position(|&member| member == from) {
            self.raft.step(peer as Peer, message);
        }
    }

    /// Proposes an entry, or keeps it until there is a leader.
    pub(super) fn propose(&mut self, entry: Entry<Command>) {
        if let Err(entry) = self.raft.propose(entry) {
            self.leaderless.push(entry);
        }
    }

    /// Who has waited too long for a leader is not proposed any more.
    pub(super) fn withdraw(&mut self, number: u64) {
        let me = self.me;
        self.leaderless.retain(|entry| entry.proposal.by != Some((me, number)));
    }

    /// Does what Raft asks for: what has been committed by that, in order. Nothing while a sync is stuck.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>, passes: &mut Passes) -> Vec<Entry<Command>> {
        let mut committed = Vec::new();
        while !self.stuck {
            for output in std::mem::take(&mut self.raft.outbox) {
                self.obey(ctx, output);
            }
            while self.applied < self.raft.commit {
                self.applied += 1;
                let entry = self.raft.log.get(self.applied).expect("what is committed is in the log");
                committed.push(entry.clone());
            }
            self.sync(ctx, passes);
            if self.raft.outbox.is_empty() {
                break;
            }
        }
        committed
    }

    fn obey(&mut self, ctx: &mut Ctx<'_>, output: Output<Command>) {
        match output {
            Output::Send(to, message) => self.send(ctx, to, message),
            Output::SendAfterSync(to, message) => self.held.push((to, message)),
            // API servers read from their watch caches, and ask no index.
            Output::ReadReady { .. } | Output::Leader(None) => {}
            Output::Leader(Some(_)) => {
                for entry in std::mem::take(&mut self.leaderless) {
                    self.propose(entry);
                }
            }
        }
    }

    /// Hands what has changed to the disk, unless it is busy.
    fn sync(&mut self, ctx: &mut Ctx<'_>, passes: &mut Passes) {
        if self.under_way.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        let state = (self.raft.term, self.raft.vote);
        if state == self.saved && self.raft.log.is_handed_over() {
            return held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        }
        if let Some((by, _)) = bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Full) {
            ctx.touch(by);
            return ctx.exit(by);
        }
        let more = match passes.pass(ctx, Point::RegistryFsync) {
            Pass::Clear => Duration::ZERO,
            Pass::Late(by) => by,
            Pass::Fails(by) => return ctx.exit(by),
            Pass::Ends => return,
        };
        self.saved = state;
        let (after, entries) = self.raft.log.hand_over();
        let record = Record { term: state.0, vote: state.1, commit: self.raft.commit, after, entries };
        ctx.write(registry::Record::Kubernetes(record));
        self.under_way = Some(Sync { last: self.raft.log.last(), held });
        let takes = self.fsync.sample(self.luck.draw());
        let delay = delay(ctx, takes);
        ctx.after(takes + delay + more, Timer::Synced.into());
    }

    /// The disk has it, unless it is stalled.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = stall(ctx) {
            self.stuck = true;
            return ctx.touch(by);
        }
        let Some(Sync { last: (term, index), held }) = self.under_way.take() else { return };
        ctx.sync();
        self.raft.on_stable(index, term);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
    }

    /// The disk may be well again, or ill.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.stuck && stall(ctx).is_none() {
            self.stuck = false;
            self.on_synced(ctx);
        }
    }

    fn send(&self, ctx: &mut Ctx<'_>, to: Peer, message: Message<Command>) {
        ctx.send(self.members[to as usize], Msg::Raft(message).into());
    }
}

/// All that is bad about the member's disk, and by which fault.
fn bad(ctx: &Ctx<'_>) -> Vec<(FaultId, BadDisk)> {
    ctx.plight().into_iter().flat_map(Plight::disk).collect()
}

/// Which fault lets no sync end, if one does.
fn stall(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Stalled).map(|(by, _)| by)
}

/// By how much longer a sync takes that would take this long.
fn delay(ctx: &mut Ctx<'_>, takes: Duration) -> Duration {
    let mut sum = Duration::ZERO;
    for (by, bad) in bad(ctx) {
        if let BadDisk::Slow(factor) = bad {
            let extra = factor.extra(takes);
            if extra > Duration::ZERO {
                ctx.touch(by);
            }
            sum += extra;
        }
    }
    sum
}
