//! Probing: one peer a second, directly, then through others and over TCP, then it is suspected (state.go, `probeNode`).

use std::collections::BTreeMap;

use schism_core::{Luck, Time};

use super::order::Order;
use super::{Body, Gossip, News, Output, Packet, Peer, Status, Timer, What};

/// What a node is at with its probes, its own and those it makes for others.
#[derive(Clone, Debug)]
pub(super) struct Probing {
    order: Order,
    stage: Stage,
    /// Which reminder counts: the last that was set.
    serial: u32,
    /// Probes on behalf of others, by their numbers: who asked, and the number that it gave them.
    helping: BTreeMap<u32, (Peer, u32)>,
}

/// How far the probe is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It waits for the next tick.
    Idle,
    /// It waits for the target to answer.
    Direct(Probe),
    /// It waits for anybody to.
    Indirect(Probe),
}

/// One probe.
#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u32,
    target: Peer,
    /// What was known of the target when it began.
    incarnation: u32,
    began: Time,
    /// When it has failed.
    deadline: Time,
    /// How many have been asked to help.
    helpers: u32,
    /// How many of them have said that they had no answer either.
    nacks: u32,
    /// Whether the target has answered over TCP.
    called: bool,
}

/// How a probe ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Late,
}

impl Probing {
    pub(super) fn new(peers: u32, luck: &mut Luck) -> Probing {
        let order = Order::new(peers, luck);
        Probing { order, stage: Stage::Idle, serial: 0, helping: BTreeMap::new() }
    }

    /// Whom it has called over TCP.
    pub(super) fn called(&self) -> Option<Peer> {
        match self.stage {
            Stage::Indirect(probe) => Some(probe.target),
            Stage::Idle | Stage::Direct(_) => None,
        }
    }
}

impl Gossip {
    /// The next step at this time.
    pub(super) fn probe_at(&mut self, now: Time, at: Time) {
        self.probing.serial = self.number();
        self.after(at.since(now), Timer::Probe(self.probing.serial));
    }

    pub(super) fn on_probe_timer(&mut self, now: Time, serial: u32) {
        if serial != self.probing.serial {
            return;
        }
        match self.probing.stage {
            Stage::Idle => self.begin_probe(now),
            Stage::Direct(probe) => self.ask_for_help(now, probe),
            Stage::Indirect(probe) => self.end_probe(now, probe, End::Late),
        }
    }

    /// A tick: whoever comes next is probed.
    fn begin_probe(&mut self, now: Time) {
        let Some(target) = self.next_target(now) else {
            return self.probe_at(now, self.grid.next(now, self.config.probe_interval));
        };
        let entry = self.view.get(target);
        let number = self.number();
        let deadline = now + self.config.probe_interval * u64::from(self.health + 1);
        let (began, incarnation) = (now, entry.incarnation);
        let probe =
            Probe { number, target, incarnation, began, deadline, helpers: 0, nacks: 0, called: false };
        self.probing.stage = Stage::Direct(probe);
        self.ping(target, number, entry.status);
        // The wait for the direct answer does not grow with the health score; the deadline does.
        self.probe_at(now, deadline.min(now + self.config.probe_timeout));
    }

    /// A target that is suspected already is told so, and can refute at once; nothing else goes along then.
    fn ping(&mut self, target: Peer, number: u32, status: Status) {
        match status {
            Status::Alive => self.send(target, Body::Ping(number)),
            Status::Suspect | Status::Dead | Status::Left | Status::Unknown => {
                let incarnation = self.view.get(target).incarnation;
                let news = [News { of: target, incarnation, what: What::Suspect(self.me) }];
                let packet = Packet { body: Body::Ping(number), news: Box::new(news) };
                self.outputs.push(Output::Send(target, packet));
            }
        }
    }

    /// Whose turn it is: not mine, nor that of the dead. It looks at each once at most (`numCheck`).
    fn next_target(&mut self, now: Time) -> Option<Peer> {
        let mut checks = 0;
        while self.view.up() > 1 && checks < self.view.listed() {
            match self.probing.order.next().map(|peer| (peer, self.view.status(peer))) {
                Some((peer, Status::Alive | Status::Suspect)) if peer != self.me => return Some(peer),
                Some((_, Status::Unknown)) => {}
                Some((_, Status::Alive | Status::Suspect | Status::Dead | Status::Left)) => checks += 1,
                None => {
                    self.view.forget_the_dead(now, self.config.gossip_to_the_dead);
                    self.probing.order = Order::new(self.view.peers(), &mut self.luck);
                    checks += 1;
                }
            }
        }
        None
    }

    /// No answer yet: up to three others are asked to try, and the target is called over TCP.
    fn ask_for_help(&mut self, now: Time, mut probe: Probe) {
        let is_helper = |view: &super::View, peer| peer != probe.target && view.status(peer) == Status::Alive;
        let helpers = self.pick(self.config.indirect_probes, is_helper);
        probe.helpers = helpers.len() as u32;
        self.probing.stage = Stage::Indirect(probe);
        helpers.into_iter().for_each(|peer| self.send(peer, Body::PingFor(probe.number, probe.target)));
        self.stream(probe.target, Body::Call(probe.number));
        self.probe_at(now, probe.deadline);
    }

    pub(super) fn on_ack(&mut self, now: Time, number: u32) {
        if let Some((asker, theirs)) = self.probing.helping.remove(&number) {
            return self.send(asker, Body::Ack(theirs));
        }
        match self.probing.stage {
            Stage::Direct(probe) | Stage::Indirect(probe)
                if probe.number == number && now < probe.deadline =>
            {
                self.end_probe(now, probe, End::Answered);
            }
            Stage::Idle | Stage::Direct(_) | Stage::Indirect(_) => {}
        }
    }

    /// A helper had no answer. It waits as long as the probe has left by then, so with a health score of zero its word
    /// comes too late by the way there and back, and is missed.
    pub(super) fn on_nack(&mut self, now: Time, number: u32) {
        if let Stage::Indirect(probe) = &mut self.probing.stage
            && probe.number == number
            && now < probe.deadline
        {
            probe.nacks += 1;
        }
    }

    /// Over TCP there is an answer. That is looked at only in the end, lest a network that drops datagrams go unnoticed.
    pub(super) fn on_answer(&mut self, number: u32) {
        if let Stage::Indirect(probe) = &mut self.probing.stage
            && probe.number == number
        {
            probe.called = true;
        }
    }

    /// What the end says of the target, and of the prober's own health (awareness.go; Dadgar, Phillips and Currey,
    /// "Lifeguard", 2017): it is bad if helpers that should have answered did not, either.
    fn end_probe(&mut self, now: Time, probe: Probe, end: End) {
        self.probing.stage = Stage::Idle;
        match (end, probe) {
            (End::Answered, _) | (End::Late, Probe { called: true, .. }) => {
                self.health = self.health.saturating_sub(1);
            }
            (End::Late, Probe { target, incarnation, helpers, nacks, .. }) => {
                self.on_suspect(now, target, incarnation, self.me);
                self.weaken(if helpers == 0 { 1 } else { helpers.saturating_sub(nacks) });
            }
        }
        // A tick that came meanwhile has waited, one at most; any others are lost (Go's `Ticker`).
        let tick = self.grid.next(probe.began, self.config.probe_interval).max(now);
        if end == End::Late && tick == now {
            self.begin_probe(now);
        } else {
            self.probe_at(now, tick);
        }
    }

    /// The health score gets worse, up to its limit.
    pub(super) fn weaken(&mut self, by: u32) {
        self.health = (self.health + by).min(self.config.awareness_max.saturating_sub(1));
    }

    /// Another asks whether a third is there.
    pub(super) fn help(&mut self, asker: Peer, theirs: u32, target: Peer) {
        let number = self.number();
        self.probing.helping.insert(number, (asker, theirs));
        self.send(target, Body::Ping(number));
        self.after(self.config.probe_timeout, Timer::Helped(number));
    }

    pub(super) fn on_helped(&mut self, number: u32) {
        if let Some((asker, theirs)) = self.probing.helping.remove(&number) {
            self.send(asker, Body::Nack(theirs));
        }
    }
}
