//! A control-plane node's etcd: Raft over a disk. What is committed is applied by the API server above it.

use schism_core::{Distribution, Duration, NodeId};

use super::api::Msg;
use super::backoff::Draws;
use super::member::Timer;
use super::store::Command;
use crate::failpoint::Passes;
use crate::node::Ctx;
use crate::registry;
use crate::registry::raft::log::{Disk, Entry, Record};
use crate::registry::raft::{Message, Output, Peer, Raft, Settings};
use crate::registry::syncs::{Begun, Sync};

/// Raft, its disk, and what waits for either.
#[derive(Clone, Debug)]
pub(super) struct Etcd {
    raft: Raft<Command>,
    me: Peer,
    members: Vec<NodeId>,
    fsync: Distribution,
    luck: Draws,
    disk: Syncs,
    /// Entries that wait for a leader.
    leaderless: Vec<Entry<Command>>,
    applied: u64,
}

/// The term and the vote are saved beside the log, entries are told by term and index, and messages wait for them.
type Syncs = registry::syncs::Syncs<(u64, Option<Peer>), (u64, u64), (Peer, Message<Command>)>;

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
    /// What the member waits for from the others, and from whom.
    pub(super) fn waits(&self) -> Option<(&'static str, Vec<NodeId>)> {
        let (what, peers) = self.raft.waits()?;
        Some((what, peers.into_iter().map(|peer| self.members[usize::from(peer)]).collect()))
    }

    /// Who leads, as far as it knows, if that is another.
    pub(super) fn other_leader(&self) -> Option<NodeId> {
        let leader = self.raft.leader().filter(|&leader| leader != self.me)?;
        Some(self.members[usize::from(leader)])
    }
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
            disk: Syncs::new((disk.term, disk.vote)),
            leaderless: Vec::new(),
            applied: disk.commit,
        }
    }

    /// One heartbeat interval has passed.
    pub(super) fn tick(&mut self) {
        if !self.disk.is_stuck() {
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
        while !self.disk.is_stuck() {
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
            Output::SendAfterSync(to, message) => self.disk.hold((to, message)),
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
        let (term, vote) = (self.raft.term, self.raft.vote);
        match self.disk.begin(ctx, passes, (term, vote), self.raft.log.is_handed_over()) {
            Begun::Nothing => {}
            Begun::Clean(held) => held.into_iter().for_each(|(to, message)| self.send(ctx, to, message)),
            Begun::Write(late) => {
                let (after, entries) = self.raft.log.hand_over();
                let record = Record { term, vote, commit: self.raft.commit, after, entries };
                ctx.write(registry::Record::Kubernetes(record));
                let takes = self.fsync.sample(self.luck.draw());
                let takes = self.disk.start(ctx, self.raft.log.last(), takes);
                ctx.after(takes + late, Timer::Synced.into());
            }
        }
    }

    /// The disk has it, unless it is stalled.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Sync { last: (term, index), held }) = self.disk.end(ctx) else { return };
        self.raft.on_stable(index, term);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
    }

    /// The disk may be well again, or ill.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.come_free(ctx) {
            self.on_synced(ctx);
        }
    }

    fn send(&self, ctx: &mut Ctx<'_>, to: Peer, message: Message<Command>) {
        ctx.send(self.members[to as usize], Msg::Raft(message).into());
    }
}
