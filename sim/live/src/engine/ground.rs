//! The ground that the plan of faults stands on: what each primitive is on madsim.

use std::sync::Arc;

use madsim::net::NetSim;
use schism_core::{
    Actor, Cut, Death, Duration, Farewell, Fault, FaultId, Feel, Flows, NodeId, Scene, Status, Told,
};
use schism_models::nemesis::{Audience, Ground, Heard, Struck};
use schism_models::node::{Message, Node};
use schism_models::plight::Plight;

use super::frame::{self, Frame};
use super::handle;
use super::house::House;
use super::player::Player;

impl Ground for House {
    fn inflict(&mut self, fault: Fault) {
        self.go_on();
        match &fault {
            Fault::Crash(node, death) => self.crash(*node, *death),
            Fault::Restart(node) => self.restart(*node),
            Fault::Pause(node) => self.pause(*node),
            Fault::Resume(node) => self.resume(*node),
            Fault::PowerOn(node) => {
                self.troupe.suffer(&fault);
                self.power_on(*node);
            }
            Fault::Cut(cut) => {
                assert!(is_clog(cut), "a scenario that fits madsim has no {cut:?}");
                self.troupe.suffer(&fault);
                self.clog(cut);
            }
            Fault::Mend(id) => {
                self.troupe.suffer(&fault);
                self.unclog(*id);
            }
            Fault::Impair(impairment) => {
                self.troupe.suffer(&fault);
                if !impairment.is_nothing() {
                    self.weather.worsen(impairment);
                    self.turn();
                }
            }
            Fault::Repair(id) => {
                self.troupe.suffer(&fault);
                self.weather.repair(*id);
                self.turn();
            }
            Fault::FakeSyncs(_) | Fault::MakeSyncs(_) => {
                self.troupe.suffer(&fault);
            }
            Fault::Sever { .. } | Fault::SetClock(..) => {
                panic!("a scenario that fits madsim has no {fault:?}")
            }
        }
    }

    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>) {
        self.go_on();
        let is_model = self.troupe.actor(node).is_none_or(|player| player.model().is_some());
        assert!(is_model, "what only models do by themselves is refused where users' code plays");
        self.troupe.afflict(node, plight);
        match self.troupe.scene().status(node) {
            Status::Up => self.tell(node, Told::Plight),
            Status::Paused => self.rooms[node.index()].hears_later = true,
            Status::Down => {}
        }
    }

    fn scene(&self) -> Scene<'_> {
        self.troupe.scene()
    }

    fn actor(&self, node: NodeId) -> Option<&Node> {
        self.troupe.actor(node).and_then(Player::model)
    }

    fn nodes(&self) -> u32 {
        self.troupe.nodes() as u32
    }

    fn touched(&self, by: FaultId) -> u64 {
        self.troupe.touched(by)
    }

    fn heard(&mut self) -> Vec<Heard> {
        self.troupe.witness_mut().0.take()
    }

    fn tell_acts(&mut self, fault: usize) {
        self.troupe.witness_mut().0.fault_acts(fault);
    }

    fn tell_began(&mut self, fault: usize, struck: &Struck) {
        let (ears, scene) = self.troupe.witness_mut();
        ears.fault_began(&scene, fault, struck);
    }

    fn tell_healed(&mut self, fault: usize, touched: u64) {
        let (ears, scene) = self.troupe.witness_mut();
        ears.fault_healed(&scene, fault, touched);
    }

    fn tell_lasts(&mut self, fault: usize, touched: u64) {
        self.troupe.witness_mut().0.fault_lasts(fault, touched);
    }
}

/// Whether madsim can do this: it drops all, and tells nobody.
fn is_clog(cut: &Cut) -> bool {
    cut.is_whole() && cut.feel == Feel::Silent && cut.flows == Flows::All
}

impl House {
    fn crash(&mut self, node: NodeId, death: Death) {
        let lived = self.troupe.scene().status(node) != Status::Down;
        let dead = self.troupe.suffer(&Fault::Crash(node, death));
        self.supervised.retain(|&(_, waiting)| waiting != node);
        let goes_dark = death.farewell == Farewell::Silence && !self.rooms[node.index()].dark;
        if lived || goes_dark {
            self.bury(node, death.farewell, dead.as_ref().map_or_else(Vec::new, Actor::peers));
        }
    }

    /// A process whose code is the user's has come to its end.
    pub(super) fn end_of(&mut self, node: NodeId) {
        self.crash(node, Death::KILLED);
    }

    /// A process ends by its own hand.
    pub(super) fn exit(&mut self, node: NodeId, by: FaultId) {
        let dead = self.troupe.exit(node, by);
        self.bury(node, Farewell::Reset, dead.as_ref().map_or_else(Vec::new, Actor::peers));
    }

    /// A supervisor kills a process, and will start it.
    pub(super) fn recycle(&mut self, node: NodeId, after: Duration) {
        if self.troupe.scene().status(node) != Status::Down {
            self.crash(node, Death::KILLED);
            self.supervised.insert((self.troupe.scene().now() + after, node));
            self.wake();
        }
    }

    /// Those start whose supervisors have waited long enough.
    pub(super) fn start_the_supervised(&mut self) {
        let now = self.troupe.scene().now();
        while let Some(&(_, node)) = self.supervised.first().filter(|(at, _)| *at <= now) {
            self.restart(node);
        }
    }

    /// What becomes of the host of a process that has died. If it lives, it tells those that the process had to do with,
    /// and turns away what comes; else the connections stay as their peers know them.
    fn bury(&mut self, node: NodeId, farewell: Farewell, mut peers: Vec<NodeId>) {
        let room = &mut self.rooms[node.index()];
        room.endpoint = None;
        room.farewells.clear();
        // The tasks that wait for them end with the process.
        room.timers = 0;
        let open = std::mem::take(&mut room.links).into_open();
        if room.role.is_some() {
            // madsim drops what stands still at a node that is killed while it holds a lock on all nodes, and users' code
            // may do anything as it is dropped.
            handle().resume(room.place);
        }
        // madsim closes the sockets of a node that is killed, and not of one that is only restarted.
        handle().kill(room.place);
        match farewell {
            Farewell::Reset => {
                for (peer, sender) in open {
                    frame::put(&sender, Frame::<Message>::Reset);
                    peers.retain(|&other| other != peer);
                }
                room.farewells = peers;
                handle().restart(room.place);
            }
            Farewell::Silence => {
                room.embers.extend(open.map(|(_, sender)| sender));
                room.dark = true;
            }
        }
    }

    fn restart(&mut self, node: NodeId) {
        self.supervised.retain(|&(_, waiting)| waiting != node);
        if self.troupe.scene().status(node) == Status::Down {
            self.troupe.suffer(&Fault::Restart(node));
            self.rooms[node.index()].hears_later = false;
            self.start_host(node);
        }
    }

    fn power_on(&mut self, node: NodeId) {
        if self.rooms[node.index()].dark {
            self.start_host(node);
        }
    }

    /// A host starts. It knows nothing of the connections that were there before, and says so.
    fn start_host(&mut self, node: NodeId) {
        let room = &mut self.rooms[node.index()];
        room.dark = false;
        room.endpoint = None;
        room.embers.drain(..).for_each(|sender| frame::put(&sender, Frame::<Message>::Reset));
        handle().kill(room.place);
        handle().restart(room.place);
    }

    fn pause(&mut self, node: NodeId) {
        let runs = self.troupe.scene().status(node) == Status::Up;
        self.troupe.suffer(&Fault::Pause(node));
        if runs {
            handle().pause(self.rooms[node.index()].place);
        }
    }

    fn resume(&mut self, node: NodeId) {
        let stood = self.troupe.scene().status(node) == Status::Paused;
        self.troupe.suffer(&Fault::Resume(node));
        if stood {
            handle().resume(self.rooms[node.index()].place);
        }
        if stood && std::mem::take(&mut self.rooms[node.index()].hears_later) {
            self.tell(node, Told::Plight);
        }
    }

    /// madsim is told of the weather.
    fn turn(&mut self) {
        let sum = self.weather.sum();
        NetSim::current().update_config(|config| *config = sum);
    }
}
