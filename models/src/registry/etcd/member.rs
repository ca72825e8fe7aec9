//! A member: Raft, the store and the lessor behind one door, and the requests that wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Duration, FaultId, Luck, NodeId, Time};

use super::api::{Answer, Ask, Changes, Failure, Msg};
use super::lessor::{Keep, Lessor, Primary, SWEEP};
use super::log::{Disk, Entry, Proposal, Record};
use super::raft::{Output, Peer, Raft, Settings};
use super::store::{Change, Command, Effect, LeaseId, Store};
use super::{Config, LeaseClock, Version};
use crate::cache::Reads;
use crate::listing::ServiceId;
use crate::node::{Ctx, Message, Timer as NodeTimer};
use crate::observation::{Cause, Observation};
use crate::plight::{BadDisk, Plight};

/// How long a member works on a request: 5 s and two election time-outs (etcdserver/config.go, `ReqTimeout`), which is
/// 7 s by default.
fn request_timeout(config: &Config) -> Duration {
    Duration::from_secs(5) + config.election * 2
}

/// How long a read waits before it asks for the read index again (v3_server.go, `readIndexRetryTime`).
const READ_AGAIN: Duration = Duration::from_millis(500);
/// How many revocations are under way at once (etcdserver/server.go, `maxPendingRevokes`).
const MOST_REVOKES: usize = 16;

/// Where a member sits.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Its constants.
    pub config: Arc<Config>,
    /// Its number.
    pub me: Peer,
    /// All members' nodes, by number.
    pub members: Arc<[NodeId]>,
    /// How many services there are.
    pub services: u16,
}

/// What a member reminds itself of.
#[derive(Clone, Debug, Hash)]
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
}

/// A registry member.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat,
    raft: Raft,
    store: Store,
    lessor: Lessor,
    applied: u64,
    led: bool,
    disk: Syncs,
    /// The number of the last request taken.
    last: u64,
    /// Requests that wait for their entry to be applied.
    proposed: BTreeMap<u64, Waiting>,
    /// Entries that wait for a leader.
    leaderless: Vec<Entry>,
    /// Keepalives that wait for the leader.
    keeps: BTreeMap<u64, Keeping>,
    reads: Reading,
    watchers: BTreeMap<ServiceId, BTreeSet<NodeId>>,
    clients: BTreeSet<NodeId>,
    /// Changes that watchers have not been told.
    news: BTreeMap<ServiceId, Vec<Change>>,
    /// Expired leases that this leader has yet to propose to revoke, by sweep.
    revoking: Vec<Batch>,
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

#[derive(Clone, Copy, Debug)]
struct Keeping {
    lease: LeaseId,
    asker: Asker,
}

#[derive(Clone, Copy, Debug)]
enum Asker {
    Client(NodeId),
    /// A follower, and its number for it.
    Member(NodeId, u64),
}

/// Reads go through the leader in batches: one under way, the next gathering (v3_server.go, `linearizableReadLoop`).
#[derive(Clone, Debug, Default)]
struct Reading {
    /// The number of the batch under way; 0 if none is.
    current: u64,
    batch: Vec<(Caller, Ask)>,
    /// Once known, the index that must be applied.
    index: Option<u64>,
    next: Vec<(Caller, Ask)>,
}

/// The write-ahead log: one sync at a time, each for all that has come up meanwhile.
#[derive(Clone, Debug)]
struct Syncs {
    luck: Luck,
    saved: (u64, Option<Peer>),
    under_way: Option<Sync>,
    /// Whether the sync under way should have ended, and the disk does not let it.
    stuck: bool,
    /// Messages that may leave only once what has changed is on disk.
    held: Vec<(Peer, super::raft::Message)>,
}

#[derive(Clone, Debug)]
struct Sync {
    /// The last entry in it, and its term.
    last: (u64, u64),
    held: Vec<(Peer, super::raft::Message)>,
}

/// The expired leases of one sweep.
#[derive(Clone, Debug)]
struct Batch {
    waiting: BTreeSet<LeaseId>,
    /// The requests under way, at most [`MOST_REVOKES`].
    under_way: BTreeSet<u64>,
}

impl Member {
    /// A member as it boots, with what its disk holds.
    pub fn boot(seat: &Seat, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let version = seat.config.version;
        let election_ticks =
            (seat.config.election.as_nanos() / seat.config.heartbeat.as_nanos()).max(1) as u32;
        let settings = Settings {
            me: seat.me,
            members: seat.members.len() as u8,
            election_ticks,
            pre_vote: version >= Version::V3_5,
        };
        let mut raft = Raft::new(settings, disk.term, disk.vote, disk.log.clone(), ctx.luck("election"));
        raft.commit = disk.commit;
        let mut store = Store::new(seat.services);
        for index in 1..=disk.commit {
            if let Some(command) = disk.log.get(index).and_then(|entry| entry.proposal.command.as_ref()) {
                store.apply(command);
            }
        }
        // Members are not started in the same instant: each has its own phase of ticks and of sweeps.
        let mut phases = ctx.luck("phases");
        let tick = phases.draw().unit();
        let sweep = phases.draw().unit();
        ctx.after(portion(seat.config.heartbeat, tick), NodeTimer::Etcd(Timer::Tick));
        ctx.after(portion(SWEEP, sweep), NodeTimer::Etcd(Timer::Sweep));
        for listing in store.listings() {
            ctx.observe(Observation::View(listing.clone()));
        }
        Member {
            applied: disk.commit,
            raft,
            store,
            lessor: Lessor::Secondary,
            led: false,
            disk: Syncs {
                luck: ctx.luck("fsync"),
                saved: (disk.term, disk.vote),
                under_way: None,
                stuck: false,
                held: Vec::new(),
            },
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
            proposed: BTreeMap::new(),
            leaderless: Vec::new(),
            keeps: BTreeMap::new(),
            reads: Reading::default(),
            watchers: BTreeMap::new(),
            clients: BTreeSet::new(),
            news: BTreeMap::new(),
            revoking: Vec::new(),
            seat: seat.clone(),
        }
    }

    /// The leases and keys as this member has them.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether this member leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.raft.leads()
    }

    /// The term it is in.
    pub fn term(&self) -> u64 {
        self.raft.term
    }

    /// The members and clients with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        let me = self.seat.members[self.seat.me as usize];
        self.seat
            .members
            .iter()
            .copied()
            .filter(|&member| member != me)
            .chain(self.clients.iter().copied())
            .collect()
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
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
                self.watchers.entry(service).or_default().insert(from);
                self.catch_up(ctx, from, service, after);
            }
            // What members tell clients.
            Msg::Answer { .. } | Msg::KeptAlive { .. } | Msg::Changes(_) => {}
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Tick => {
                ctx.after(self.seat.config.heartbeat, NodeTimer::Etcd(Timer::Tick));
                // The goroutine that ticks is the one that waits for the disk (server/etcdserver/raft.go, `start`).
                if !self.disk.stuck {
                    self.raft.tick();
                    self.settle(ctx);
                }
            }
            Timer::Sweep => {
                ctx.after(SWEEP, NodeTimer::Etcd(Timer::Sweep));
                let now = self.lease_time(ctx);
                if let Lessor::Primary(primary) = &mut self.lessor {
                    let waiting: BTreeSet<LeaseId> = primary.sweep(now).into_iter().collect();
                    if !waiting.is_empty() {
                        self.revoking.push(Batch { waiting, under_way: BTreeSet::new() });
                        self.settle(ctx);
                    }
                }
            }
            Timer::Synced => self.on_synced(ctx),
            Timer::TimedOut(number) => self.on_timed_out(ctx, number),
            Timer::ReadAgain(number) => {
                if self.reads.current == number && self.reads.index.is_none() {
                    self.read_again();
                    ctx.after(READ_AGAIN, NodeTimer::Etcd(Timer::ReadAgain(number)));
                    self.settle(ctx);
                }
            }
        }
    }

    /// What ails it has changed. A disk that is well again ends the sync that was stuck.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.stuck && stall(ctx).is_none() {
            self.disk.stuck = false;
            self.on_synced(ctx);
        }
    }

    /// A client has gone, and with it all that it waits for: its keepalives are not extended for nobody. What it has
    /// proposed may still be committed.
    pub fn on_reset(&mut self, peer: NodeId) {
        self.clients.remove(&peer);
        self.watchers.values_mut().for_each(|watchers| {
            watchers.remove(&peer);
        });
        self.keeps.retain(|_, keeping| !matches!(keeping.asker, Asker::Client(client) if client == peer));
        self.proposed
            .retain(|_, waiting| !matches!(waiting, Waiting::Write(caller) if caller.client == peer));
        self.reads.batch.retain(|(caller, _)| caller.client != peer);
        self.reads.next.retain(|(caller, _)| caller.client != peer);
    }

    fn on_ask(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask) {
        match ask {
            Ask::Grant { ttl } => {
                let lease = LeaseId((self.seat.me as u64) << 56 | self.last);
                let ttl = granted_ttl(&self.seat.config, ttl);
                self.propose(ctx, Waiting::Write(caller), Command::Grant { lease, ttl });
            }
            Ask::Register { service, endpoint, lease } => {
                self.propose(ctx, Waiting::Write(caller), Command::Register { service, endpoint, lease });
            }
            Ask::Revoke { lease } => {
                let command = Command::Revoke { lease, cause: Cause::Revoked };
                self.propose(ctx, Waiting::Write(caller), command);
            }
            Ask::Put => {
                self.propose(ctx, Waiting::Write(caller), Command::Put);
            }
            Ask::List { reads: Reads::Serializable, .. } | Ask::Get { reads: Reads::Serializable } => {
                self.answer_read(ctx, caller, ask);
            }
            Ask::List { reads: Reads::Linearizable, .. } | Ask::Get { reads: Reads::Linearizable } => {
                self.reads.next.push((caller, ask));
                if self.reads.current == 0 {
                    self.read_on(ctx);
                }
            }
        }
    }

    /// Proposes a command, and does what comes of that.
    fn propose(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, command: Command) {
        self.put_forward(ctx, waiting, command);
        self.settle(ctx);
    }

    /// Proposes a command; without a leader it waits for one, and in any case no longer than the request time-out.
    fn put_forward(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, command: Command) -> u64 {
        let number = self.take_number(ctx);
        self.proposed.insert(number, waiting);
        let proposal = Proposal { by: Some((self.seat.me, number)), command: Some(command) };
        if let Err(entry) = self.raft.propose(Entry { term: 0, proposal }) {
            self.leaderless.push(entry);
        }
        number
    }

    /// A number for a request, which ends with the request time-out.
    fn take_number(&mut self, ctx: &mut Ctx<'_>) -> u64 {
        self.last += 1;
        ctx.after(request_timeout(&self.seat.config), NodeTimer::Etcd(Timer::TimedOut(self.last)));
        self.last
    }

    fn on_timed_out(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        match self.proposed.remove(&number) {
            Some(Waiting::Write(caller)) => {
                self.leaderless.retain(|entry| entry.proposal.by != Some((self.seat.me, number)));
                self.answer(ctx, caller, Answer::Failed(Failure::TimedOut));
            }
            Some(Waiting::Revoke) => {
                self.revoked(number);
                self.settle(ctx);
            }
            None => {}
        }
        self.kept_alive(ctx, number, Err(Failure::TimedOut));
        if self.reads.current == number {
            self.fail_reads(ctx, Failure::TimedOut);
        }
    }

    // Keepalives.

    /// The leader extends the lease; a follower passes the question on; without a leader it waits.
    fn keep_alive(&mut self, ctx: &mut Ctx<'_>, keeping: Keeping) {
        let number = self.take_number(ctx);
        self.keeps.insert(number, keeping);
        self.try_keep(ctx, number);
    }

    fn try_keep(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        let Some(&Keeping { lease, asker }) = self.keeps.get(&number) else { return };
        let now = self.lease_time(ctx);
        if let Lessor::Primary(primary) = &mut self.lessor {
            let ttl = self.store.ttl(lease).unwrap_or(Duration::ZERO);
            match primary.keep(lease, ttl, now) {
                Keep::Extended => {
                    ctx.observe(Observation::Extended);
                    self.kept_alive(ctx, number, Ok(ttl));
                }
                Keep::NotFound => self.kept_alive(ctx, number, Ok(Duration::ZERO)),
                // Answered when the revocation has come through, or this member no longer leads.
                Keep::Expiring => {}
            }
        } else if let Asker::Client(_) = asker
            && let Some(leader) = self.raft.leader()
            && leader != self.seat.me
        {
            let leader = self.seat.members[leader as usize];
            ctx.send(leader, Msg::Forward { ticket: number, lease }.into());
        }
    }

    fn try_all_keeps(&mut self, ctx: &mut Ctx<'_>) {
        let numbers: Vec<u64> = self.keeps.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.try_keep(ctx, number));
    }

    fn kept_alive(&mut self, ctx: &mut Ctx<'_>, number: u64, ttl: Result<Duration, Failure>) {
        let Some(Keeping { lease, asker }) = self.keeps.remove(&number) else { return };
        match (asker, ttl) {
            (Asker::Client(client), ttl) => {
                ctx.stream(client, Msg::KeptAlive { lease, ttl }.into());
            }
            (Asker::Member(member, ticket), Ok(ttl)) => {
                ctx.send(member, Msg::Forwarded { ticket, ttl }.into());
            }
            // The follower has its own time-out.
            (Asker::Member(..), Err(_)) => {}
        }
    }

    // Expired leases.

    /// Proposes revocations, as many of each sweep's as may be under way at once.
    fn revoke_more(&mut self, ctx: &mut Ctx<'_>) {
        let mut batches = std::mem::take(&mut self.revoking);
        for batch in &mut batches {
            while batch.under_way.len() < MOST_REVOKES
                && let Some(lease) = batch.waiting.pop_first()
            {
                let command = Command::Revoke { lease, cause: Cause::Expired };
                batch.under_way.insert(self.put_forward(ctx, Waiting::Revoke, command));
            }
        }
        batches.retain(|batch| !batch.under_way.is_empty());
        self.revoking = batches;
    }

    fn revoked(&mut self, number: u64) {
        self.revoking.iter_mut().for_each(|batch| {
            batch.under_way.remove(&number);
        });
    }

    // Reads.

    /// Begins the next batch of reads, if any wait.
    fn read_on(&mut self, ctx: &mut Ctx<'_>) {
        self.reads.current = 0;
        self.reads.index = None;
        if self.reads.next.is_empty() {
            return;
        }
        self.reads.batch = std::mem::take(&mut self.reads.next);
        let number = self.take_number(ctx);
        self.reads.current = number;
        ctx.after(READ_AGAIN, NodeTimer::Etcd(Timer::ReadAgain(number)));
        self.raft.read_index(number);
        self.settle(ctx);
    }

    /// Asks again for the index of the reads under way, unless it is known.
    fn read_again(&mut self) {
        if self.reads.current != 0 && self.reads.index.is_none() {
            self.raft.read_index(self.reads.current);
        }
    }

    fn fail_reads(&mut self, ctx: &mut Ctx<'_>, why: Failure) {
        for (caller, _) in std::mem::take(&mut self.reads.batch) {
            self.answer(ctx, caller, Answer::Failed(why));
        }
        self.read_on(ctx);
    }

    fn serve_reads(&mut self, ctx: &mut Ctx<'_>) {
        if self.reads.index.is_some_and(|index| index <= self.applied) {
            for (caller, ask) in std::mem::take(&mut self.reads.batch) {
                self.answer_read(ctx, caller, ask);
            }
            self.read_on(ctx);
        }
    }

    fn answer_read(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask) {
        ctx.observe(Observation::Read);
        let answer = match ask {
            Ask::List { service, .. } => Answer::Listing(self.listing(service)),
            Ask::Get { .. } | Ask::Put | Ask::Grant { .. } | Ask::Register { .. } | Ask::Revoke { .. } => {
                Answer::Done
            }
        };
        self.answer(ctx, caller, answer);
    }

    fn listing(&self, service: ServiceId) -> Arc<crate::listing::Listing> {
        self.store.listing(service).clone()
    }

    fn answer(&mut self, ctx: &mut Ctx<'_>, Caller { client, call }: Caller, answer: Answer) {
        ctx.stream(client, Msg::Answer { call, answer }.into());
    }

    // Watches.

    fn catch_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        let changes = self.store.changes_after(service, after).to_vec();
        if !changes.is_empty() {
            let news = Changes { after, changes, listing: self.listing(service) };
            ctx.stream(client, Msg::Changes(news).into());
        }
    }

    fn tell_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for (service, changes) in std::mem::take(&mut self.news) {
            let Some(watchers) = self.watchers.get(&service) else { continue };
            let after = changes[0].revision - 1;
            let news = Arc::new(Msg::Changes(Changes { after, changes, listing: self.listing(service) }));
            for &watcher in watchers {
                ctx.stream(watcher, Message::Etcd(news.clone()));
            }
        }
    }

    // Raft, its disk and its log.

    /// Does all that the last step of Raft has asked for, and what comes of that. Nothing of it while a sync is stuck:
    /// who waits for the disk sends nothing and applies nothing (server/etcdserver/raft.go, `start`), though it hears.
    fn settle(&mut self, ctx: &mut Ctx<'_>) {
        while !self.disk.stuck {
            for output in std::mem::take(&mut self.raft.outbox) {
                self.obey(ctx, output);
            }
            self.apply(ctx);
            self.serve_reads(ctx);
            self.revoke_more(ctx);
            self.sync(ctx);
            if self.raft.outbox.is_empty() {
                return;
            }
        }
    }

    fn obey(&mut self, ctx: &mut Ctx<'_>, output: Output) {
        match output {
            Output::Send(to, message) => self.send(ctx, to, message),
            Output::SendAfterSync(to, message) => self.disk.held.push((to, message)),
            Output::ReadReady { id, index } => {
                if id == self.reads.current {
                    self.reads.index = Some(index);
                }
            }
            Output::Leader(leader) => self.on_leader(ctx, leader),
        }
    }

    fn on_leader(&mut self, ctx: &mut Ctx<'_>, leader: Option<Peer>) {
        let leads = self.raft.leads();
        if leads && !self.led {
            ctx.observe(Observation::Leads { term: self.raft.term });
        }
        if !leads && self.led {
            ctx.observe(Observation::Deposed { term: self.raft.term });
            self.lessor = Lessor::Secondary;
            self.revoking.clear();
        }
        self.led = leads;
        if leader.is_some() {
            for entry in std::mem::take(&mut self.leaderless) {
                if let Err(entry) = self.raft.propose(entry) {
                    self.leaderless.push(entry);
                }
            }
            self.try_all_keeps(ctx);
            if self.reads.current != 0 && self.reads.index.is_none() {
                self.fail_reads(ctx, Failure::LeaderChanged);
            }
        }
    }

    /// Hands what has changed to the disk, unless it is busy.
    fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.under_way.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.disk.held);
        let state = (self.raft.term, self.raft.vote);
        if state == self.disk.saved && self.raft.log.is_handed_over() {
            return held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        }
        if let Some(by) = full(ctx) {
            // "failed to save Raft hard state and entries" is fatal (server/etcdserver/raft.go, `start`).
            ctx.touch(by);
            return ctx.exit(by);
        }
        self.disk.saved = state;
        let (after, entries) = self.raft.log.hand_over();
        let record = Record { term: state.0, vote: state.1, commit: self.raft.commit, after, entries };
        ctx.write(record);
        self.disk.under_way = Some(Sync { last: self.raft.log.last(), held });
        let takes = self.disk.luck.sample(&self.seat.config.fsync);
        let more = delay(ctx, takes);
        ctx.after(takes + more, NodeTimer::Etcd(Timer::Synced));
    }

    fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = stall(ctx) {
            self.disk.stuck = true;
            return ctx.touch(by);
        }
        let Some(Sync { last: (term, index), held }) = self.disk.under_way.take() else { return };
        ctx.sync();
        self.raft.on_stable(index, term);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        self.settle(ctx);
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, to: Peer, message: super::raft::Message) {
        ctx.send(self.seat.members[to as usize], Msg::Raft(message).into());
    }

    fn apply(&mut self, ctx: &mut Ctx<'_>) {
        while self.applied < self.raft.commit {
            self.applied += 1;
            let entry = self.raft.log.get(self.applied).expect("what is committed is in the log").clone();
            self.apply_entry(ctx, entry);
        }
        self.tell_watchers(ctx);
    }

    fn apply_entry(&mut self, ctx: &mut Ctx<'_>, Entry { term, proposal }: Entry) {
        let Some(command) = proposal.command else {
            // The first entry of a leader's own term: all that its predecessors left is applied, so it is primary.
            if term == self.raft.term && self.raft.leads() {
                let extend = self.seat.config.election;
                let primary = Primary::promote(self.store.leases(), self.lease_time(ctx), extend);
                self.lessor = Lessor::Primary(primary);
                self.try_all_keeps(ctx);
            }
            // The first commit of a term: what was asked of a leader that could not answer yet, or of the one before,
            // is asked again (v3_server.go, `FirstCommitInTermNotify`: since 3.5.0 and 3.4.20).
            return self.read_again();
        };
        let effect = self.store.apply(&command);
        self.follow_lease(self.lease_time(ctx), &command);
        match effect {
            Effect::Wrote(write) => ctx.observe(Observation::Committed { at: self.applied, write }),
            Effect::Listed(write, service, change) => {
                ctx.observe(Observation::Committed { at: self.applied, write });
                ctx.observe(Observation::Believes { service, subject: change.endpoint.node, up: change.up });
                self.news.entry(service).or_default().push(change);
            }
            Effect::LeaseNotFound => {}
        }
        if let Command::Revoke { lease, .. } = command {
            self.answer_keeps_of(ctx, lease);
        }
        if let Some((by, number)) = proposal.by
            && by == self.seat.me
        {
            self.on_applied(ctx, number, &command, effect);
        }
    }

    /// What the clock reads that leases end by.
    fn lease_time(&self, ctx: &Ctx<'_>) -> Time {
        match self.seat.config.lease_clock {
            LeaseClock::Monotonic => ctx.now(),
            LeaseClock::Wall => ctx.wall(),
        }
    }

    fn follow_lease(&mut self, now: Time, command: &Command) {
        if let Lessor::Primary(primary) = &mut self.lessor {
            match *command {
                Command::Grant { lease, ttl } => primary.end_at(lease, now + ttl),
                Command::Revoke { lease, .. } => primary.forget(lease),
                Command::Register { .. } | Command::Put => {}
            }
        }
    }

    fn answer_keeps_of(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        let waiting: Vec<u64> = self
            .keeps
            .iter()
            .filter(|(_, keeping)| keeping.lease == lease)
            .map(|(&number, _)| number)
            .collect();
        waiting.into_iter().for_each(|number| self.try_keep(ctx, number));
    }

    fn on_applied(&mut self, ctx: &mut Ctx<'_>, number: u64, command: &Command, effect: Effect) {
        match self.proposed.remove(&number) {
            Some(Waiting::Write(caller)) => {
                let answer = match (command, effect) {
                    (_, Effect::LeaseNotFound) => Answer::Failed(Failure::LeaseNotFound),
                    (&Command::Grant { lease, ttl }, _) => Answer::Granted { lease, ttl },
                    (Command::Register { .. } | Command::Put | Command::Revoke { .. }, _) => Answer::Done,
                };
                self.answer(ctx, caller, answer);
            }
            Some(Waiting::Revoke) => self.revoked(number),
            None => {}
        }
    }

    fn peer(&self, node: NodeId) -> Option<Peer> {
        self.seat.members.iter().position(|&member| member == node).map(|peer| peer as Peer)
    }
}

/// What is granted: whole seconds, and no less than 1.5 election time-outs, rounded up: 2 s by default
/// (etcdserver/server.go, v3.4.23, lines 550 to 559).
pub fn granted_ttl(config: &Config, asked: Duration) -> Duration {
    let second = Duration::from_secs(1).as_nanos();
    let least = config.election.as_nanos() * 3 / 2;
    Duration::from_secs(asked.as_nanos().max(least).div_ceil(second))
}

/// A share of a duration.
fn portion(whole: Duration, share: f64) -> Duration {
    Duration::from_secs_f64(whole.as_secs_f64() * share)
}

/// All that is bad about the member's disk, and by which fault.
fn bad(ctx: &Ctx<'_>) -> Vec<(FaultId, BadDisk)> {
    ctx.plight().into_iter().flat_map(Plight::disk).collect()
}

/// Which fault lets no sync end, if one does.
fn stall(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Stalled).map(|(by, _)| by)
}

/// Which fault lets no write succeed, if one does.
fn full(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Full).map(|(by, _)| by)
}

/// By how much longer a sync takes that would take this long.
fn delay(ctx: &mut Ctx<'_>, takes: Duration) -> Duration {
    let extra = |(by, bad)| match bad {
        BadDisk::Slow(factor) => Some((by, factor.extra(takes))),
        BadDisk::Stalled | BadDisk::Full => None,
    };
    let delays: Vec<(FaultId, Duration)> = bad(ctx).into_iter().filter_map(extra).collect();
    delays.iter().for_each(|&(by, _)| ctx.touch(by));
    delays.iter().fold(Duration::ZERO, |sum, &(_, delay)| sum + delay)
}
