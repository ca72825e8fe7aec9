//! Metadata: weights, which servers agree on by Raft, apart from all else that they hold.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId};

use super::super::Timer;
use super::super::api::Answer;
use super::super::table::ConnectionId;
use super::Member;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Observation, Write};
use crate::registry::nacos::{Config, Disk, Msg, Weigh};
use crate::registry::raft::log::{Entry, Proposal, Record};
use crate::registry::raft::{Message, Output, Peer, Raft, Settings};
use crate::registry::{self, Seat};

/// Heartbeats in an election time-out: 10 (`electionHeartbeatFactor`; com.alipay.sofa.jraft, option/RaftOptions.java,
/// 1.3).
const HEARTBEATS: u32 = 10;
/// A follower waits for as many ticks and one more, as the first may come right after a heartbeat: 5 s to 5.5 s.
const PATIENCE: u32 = HEARTBEATS + 1;
/// Elections begin within a second after the time-out (`maxElectionDelayMs`, the same): that, or half a second later.
const SPREAD: u32 = 2;

/// A server's part in that.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    raft: Raft<Weigh>,
    me: Peer,
    applied: u64,
    led: bool,
    /// The term and the vote that the disk has.
    saved: (u64, Option<Peer>),
    /// Who waits for what this server has proposed.
    asked: BTreeMap<u64, (ConnectionId, u32)>,
    last: u64,
}

/// One tick, and one heartbeat: a tenth of the election time-out.
pub(super) fn tick(config: &Config) -> Duration {
    config.election / u64::from(HEARTBEATS)
}

impl Metadata {
    pub(super) fn new(seat: &Seat<Config>, disk: &Disk, ctx: &Ctx<'_>) -> Metadata {
        let me = seat.me as Peer;
        let members = seat.layout.members.len() as u8;
        let settings = Settings { me, members, election_ticks: PATIENCE, pre_vote: true };
        let luck = ctx.luck("metadata elections");
        let mut raft = Raft::new(settings, disk.term, disk.vote, disk.log.clone(), luck).with_spread(SPREAD);
        raft.commit = disk.commit;
        Metadata {
            raft,
            me,
            applied: 0,
            led: false,
            saved: (disk.term, disk.vote),
            asked: BTreeMap::new(),
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
        }
    }

    pub(super) fn leads(&self) -> Option<u64> {
        self.raft.leads().then_some(self.raft.term)
    }

    /// Hands leadership over, if this server has it and there is an heir.
    pub(super) fn hand_over(&mut self) -> bool {
        self.raft.hand_over()
    }
}

impl Member {
    pub(super) fn tick(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(tick(&self.seat.config), Timer::Tick.into());
        self.metadata.raft.tick();
        self.settle_metadata(ctx);
    }

    /// Another server says something about the metadata.
    pub fn on_raft(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: Message<Weigh>) {
        if let Some(peer) = self.seat.layout.member_at(from) {
            self.metadata.raft.step(peer as Peer, message);
            self.settle_metadata(ctx);
        }
    }

    /// A client gives an instance another weight: it is answered once that is agreed on.
    pub(super) fn propose_weight(
        &mut self,
        ctx: &mut Ctx<'_>,
        caller: (ConnectionId, u32),
        service: ServiceId,
        node: NodeId,
        weight: u32,
    ) {
        self.metadata.last += 1;
        let number = self.metadata.last;
        let by = Some((self.metadata.me, number));
        let command = Some(Weigh { service, node, weight });
        let proposed = self.metadata.raft.propose(Entry { term: 0, proposal: Proposal { by, command } });
        match proposed {
            Ok(()) => {
                self.metadata.asked.insert(number, caller);
            }
            // Nobody leads: the write fails at once, and whoever asked tries again.
            Err(_) => self.answer(ctx, caller.0, caller.1, Answer::Failed),
        }
        self.settle_metadata(ctx);
    }

    /// Does all that the last step has asked for. The disk has it at once: how long that takes is not modelled here.
    pub(super) fn settle_metadata(&mut self, ctx: &mut Ctx<'_>) {
        loop {
            self.save_metadata(ctx);
            let outputs = std::mem::take(&mut self.metadata.raft.outbox);
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                match output {
                    Output::Send(to, message) | Output::SendAfterSync(to, message) => {
                        ctx.send(self.node(to as usize), Msg::Raft(message).into());
                    }
                    Output::Leader(_) => self.on_metadata_leader(ctx),
                    Output::ReadReady { .. } => {}
                }
            }
        }
        self.apply_metadata(ctx);
    }

    fn save_metadata(&mut self, ctx: &mut Ctx<'_>) {
        let raft = &mut self.metadata.raft;
        let state = (raft.term, raft.vote);
        if state == self.metadata.saved && raft.log.is_handed_over() {
            return;
        }
        self.metadata.saved = state;
        let (after, entries) = raft.log.hand_over();
        let record = Record { term: state.0, vote: state.1, commit: raft.commit, after, entries };
        ctx.write(registry::Record::Nacos(record));
        ctx.sync();
        let (term, index) = raft.log.last();
        raft.on_stable(index, term);
    }

    fn on_metadata_leader(&mut self, ctx: &mut Ctx<'_>) {
        let term = self.metadata.raft.term;
        let leads = self.metadata.raft.leads();
        match (self.metadata.led, leads) {
            (false, true) => ctx.observe(Observation::Leads { term }),
            (true, false) => ctx.observe(Observation::Deposed { term }),
            (false, false) | (true, true) => {}
        }
        self.metadata.led = leads;
    }

    /// Applies all that is agreed on. Subscribers are told, unless changes of metadata are no events.
    pub(super) fn apply_metadata(&mut self, ctx: &mut Ctx<'_>) {
        while self.metadata.applied < self.metadata.raft.commit {
            self.metadata.applied += 1;
            let at = self.metadata.applied;
            let entry = self.metadata.raft.log.get(at).expect("what is agreed on is in the log");
            let Proposal { by, command } = entry.proposal;
            let Some(Weigh { service, node, weight }) = command else { continue };
            ctx.observe(Observation::Committed { at, write: Write::Put });
            let turn = self.table.weigh(service, node, weight, ctx.moment());
            if turn.is_some() && self.seat.config.metadata_events {
                self.changed(ctx, service);
            }
            if let Some((peer, number)) = by
                && peer == self.metadata.me
                && let Some((id, call)) = self.metadata.asked.remove(&number)
            {
                self.answer(ctx, id, call, Answer::Done);
            }
        }
    }
}
