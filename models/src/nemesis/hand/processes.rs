//! What a hand does to processes and their hosts: each is let go by the last that holds it.

use schism_core::{Death, Duration, Farewell, Fault as Primitive, NodeId, NodeSet, Status, Toll};

use super::{Hand, Hold, Step};
use crate::nemesis::aim::{Target, service};

impl Hand<'_> {
    /// Finds the fault's victims, and their processes die. If their hosts do, so do those of a zone on which nobody runs
    /// yet, or no longer: who comes there has to wait for them.
    pub(crate) fn kill_all(&mut self, targets: &[Target], death: Death) {
        let victims: NodeSet = self.find_victims(targets).into_iter().collect();
        if death.farewell == Farewell::Silence {
            let others = self.finding(|finder| finder.find_side(targets)).without(&victims);
            for host in others.iter() {
                self.bury(host);
                self.aboard(host).into_iter().for_each(|node| self.kill(node, death));
            }
        }
        victims.iter().for_each(|node| self.kill(node, death));
    }

    /// Who shares a node's host, besides itself.
    fn aboard(&self, host: NodeId) -> Vec<NodeId> {
        self.scene().network().hosts().aboard(host).to_vec()
    }

    /// A node, and who shares its host: what a fault does to the machine, it does to all of them.
    pub(super) fn machine(&self, host: NodeId) -> Vec<NodeId> {
        std::iter::once(host).chain(self.aboard(host)).collect()
    }

    /// The process of a node dies, and stays dead as long as any fault holds it so. If its host dies, so do all on it.
    pub(crate) fn kill(&mut self, node: NodeId, death: Death) {
        match death.farewell {
            Farewell::Reset => self.end_life(node, death),
            Farewell::Silence => self.machine(node).into_iter().for_each(|node| self.end_life(node, death)),
        }
    }

    fn end_life(&mut self, node: NodeId, death: Death) {
        let lived = self.scene().status(node) != Status::Down;
        if self.take(Hold::Dead, node).is_none() {
            return;
        }
        let darkens = death.farewell == Farewell::Silence && self.take(Hold::Dark, node) == Some(0);
        // Who is dead already is touched by what this death takes beside the process, or not at all.
        self.course.strikes += u64::from(lived || darkens || death.disk != Toll::Nothing);
        self.ground.inflict(Primitive::Crash(node, death));
    }

    /// This fault no longer keeps a process dead, nor its host: it starts anew, unless another does.
    pub(crate) fn revive(&mut self, node: NodeId) {
        for node in self.machine(node) {
            self.let_go(Hold::Dead, node);
            self.let_go(Hold::Dark, node);
        }
    }

    /// A node that has never booted joins the service that is aimed at, and begins its first life.
    pub(crate) fn launch(&mut self, node: NodeId, targets: &[Target]) {
        self.course.strikes += 1;
        self.course.launched.push(node);
        self.deeds.roster.join(node, service(targets));
        // It is held as the dead are, by nobody: this fault takes that over, and lets go.
        self.course.holds.insert((Hold::Dead, node));
        self.let_go(Hold::Dead, node);
    }

    /// An instance is no longer of its service, as long as any fault holds it so.
    pub(crate) fn send_away(&mut self, node: NodeId) {
        self.take(Hold::Away, node);
    }

    /// Whom the fault has launched die for good: they are as they were before.
    pub(crate) fn retire_launched(&mut self) {
        for node in std::mem::take(&mut self.course.launched) {
            self.kill(node, Death::KILLED);
            self.course.holds.remove(&(Hold::Dead, node));
            self.let_go(Hold::Away, node);
            self.deeds.roster.retire(node);
        }
    }

    /// The process of a node stands still as long as any fault holds it so.
    pub(crate) fn pause(&mut self, node: NodeId) {
        let running = self.scene().status(node) == Status::Up;
        if self.take(Hold::Still, node).is_some() {
            self.course.strikes += u64::from(running);
            self.ground.inflict(Primitive::Pause(node));
        }
    }

    /// A machine stands still, with all that runs on it.
    pub(crate) fn stall(&mut self, host: NodeId) {
        self.machine(host).into_iter().for_each(|node| self.pause(node));
    }

    /// This fault no longer keeps a process still: it goes on, unless another does.
    pub(crate) fn resume(&mut self, node: NodeId) {
        self.let_go(Hold::Still, node);
    }

    /// The disk of a node claims syncs that it does not make, until the fault heals.
    pub(crate) fn fake_syncs(&mut self, node: NodeId) {
        if let Some(others) = self.take(Hold::Faking, node) {
            self.course.strikes += u64::from(others == 0);
            self.ground.inflict(Primitive::FakeSyncs(node));
        }
    }

    /// A process that has died by its own hand stays dead until the fault heals, or [revives](Hand::revive) it.
    pub(crate) fn bury(&mut self, node: NodeId) {
        self.take(Hold::Dead, node);
    }

    /// Such a process starts anew after a while.
    pub(crate) fn bury_for(&mut self, node: NodeId, lasts: Duration) {
        self.bury(node);
        let place = self.course.victims.iter().position(|&victim| victim == node);
        let victim = place.expect("who dies of a fault is a victim of it") as u32;
        self.remind(lasts, Step { victim, turn: 0 });
    }

    /// Takes hold of a node, unless this fault has it already: how many others hold it so.
    fn take(&mut self, hold: Hold, node: NodeId) -> Option<u32> {
        if !self.course.holds.insert((hold, node)) {
            return None;
        }
        let holders = self.deeds.holds.entry((hold, node)).or_default();
        *holders += 1;
        Some(*holders - 1)
    }

    pub(super) fn let_go(&mut self, hold: Hold, node: NodeId) {
        if !self.course.holds.remove(&(hold, node)) {
            return;
        }
        let holders = self.deeds.holds.get_mut(&(hold, node)).expect("what is let go was held");
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        self.deeds.holds.remove(&(hold, node));
        match hold {
            Hold::Dead => self.ground.inflict(Primitive::Restart(node)),
            Hold::Still => self.ground.inflict(Primitive::Resume(node)),
            Hold::Faking => self.ground.inflict(Primitive::MakeSyncs(node)),
            // A process that has started has a host that answers.
            Hold::Dark if self.ground.scene().status(node) == Status::Down => {
                self.ground.inflict(Primitive::PowerOn(node));
            }
            Hold::Dark | Hold::Away => {}
        }
        // A pause that began while the process was dead, and lasts, holds its next life too.
        if hold == Hold::Dead && self.deeds.holds.contains_key(&(Hold::Still, node)) {
            self.ground.inflict(Primitive::Pause(node));
        }
    }
}
