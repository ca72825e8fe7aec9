//! The house: all that the tasks of a run share. madsim runs one of them at a time, so nobody ever waits for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::Duration;

use madsim::net::{Endpoint, Sender};
use madsim::task::NodeId as Place;
use schism_core::{DigestValue, Effect, NodeId, Seed, Status, Time, Told, Troupe, Witness};
use schism_models::holdings::{self, Driven};
use schism_models::nemesis::{Ears, Nemesis};
use schism_models::node::{Message, Timer};
use schism_models::observation::Observation;
use schism_runner::{Gauged, cast};
use schism_scenario::Scenario;

use super::chronicle::Chronicle;
use super::links::Links;
use super::player::{Casting, Player};
use super::traffic::Clogs;
use super::weather::Weather;
use super::{exact, handle, host, ip};
use crate::guests::{Guests, Role};
use crate::part::Part;
use crate::stage::{Playbill, Stage, Whose};

/// The house, as each task holds it.
pub(super) type Shared = Arc<Mutex<House>>;

/// All that the tasks of a run share.
pub(super) struct House {
    me: Weak<Mutex<House>>,
    pub(super) troupe: Troupe<Player, Ears<Gauged<Chronicle>>>,
    /// How much time madsim had simulated when the run began; none before.
    curtain: Option<Duration>,
    pub(super) rooms: Vec<Room>,
    /// What users' code plays, and who is who to it.
    guests: Guests,
    playbill: Arc<Playbill>,
    pub(super) weather: Weather,
    pub(super) clogs: Clogs,
    /// When a supervisor starts whom it has killed.
    pub(super) supervised: BTreeSet<(Time, NodeId)>,
    /// Who does what the plan of faults asks for.
    director: Option<Waker>,
    connections: u64,
    spawned: u64,
}

/// What the house knows of a node.
pub(super) struct Room {
    /// The node in madsim.
    pub(super) place: Place,
    /// Its socket, while its host is up.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) links: Links<Message>,
    /// How many timers of this life have not fired.
    pub(super) timers: usize,
    /// Whom the host still has to tell that a process is dead.
    pub(super) farewells: Vec<NodeId>,
    /// What is left of the connections of a process whose host has died with it: their peers notice nothing.
    pub(super) embers: Vec<Sender>,
    /// Whether its host has lost power.
    pub(super) dark: bool,
    /// Whether what ails it has changed while it stood still.
    pub(super) hears_later: bool,
    /// The part that users' code plays here, if it does.
    pub(super) role: Option<Role>,
}

/// How many tasks are spawned between two times that madsim is asked to forget those that are over: it keeps a word of
/// each until it is asked how many there are (0.2.34, `sim/task/mod.rs`, `NodeInfo::num_tasks`).
const SPAWNED_BETWEEN: u64 = 50_000;

impl House {
    /// A house with a node of madsim's for each of ours. Nobody has booted.
    pub(super) fn build(
        scenario: &Scenario,
        seed: Seed,
        chronicle: Chronicle,
        nemesis: &Nemesis,
        guests: &Guests,
    ) -> Shared {
        let witness = nemesis.ears(Gauged::new(scenario, chronicle));
        let cast = cast(scenario);
        let names: Vec<String> = cast.iter().map(|part| part.name.clone()).collect();
        let roles: Vec<Option<Role>> =
            (0..cast.len() as u32).map(|node| guests.role(scenario, NodeId(node))).collect();
        let casting = |(part, role): (schism_core::Part<_>, &Option<Role>)| {
            let schism_core::Part { name, zone, config, birth, host } = part;
            let config = match role {
                None => Casting::Model(config),
                // A model of the registry's is nothing to talk to for what plays the registry itself.
                Some(_) => Casting::Guest(guests.registry.is_none().then_some(config)),
            };
            schism_core::Part { name, zone, config, birth, host }
        };
        let cast = cast.into_iter().zip(&roles).map(casting).collect();
        let troupe = Troupe::new(&scenario.topology, cast, seed, witness);
        let playbill = Arc::new(Playbill::new(scenario.clone(), seed));
        let house = Arc::new_cyclic(|me| {
            Mutex::new(House {
                me: me.clone(),
                troupe,
                curtain: None,
                rooms: Vec::new(),
                guests: guests.clone(),
                playbill,
                weather: Weather::of(scenario),
                clogs: Clogs::default(),
                supervised: BTreeSet::new(),
                director: None,
                connections: 0,
                spawned: 0,
            })
        });
        for ((node, name), role) in (0..).map(NodeId).zip(names).zip(roles) {
            let (shared, madsim) = (house.clone(), handle());
            let host = madsim.create_node().name(name).ip(ip(node));
            let host = host.init(move || host::live(shared.clone(), node)).build();
            super::lock(&house).rooms.push(Room::at(host.id(), role));
        }
        house
    }

    /// The run begins: everyone boots who is there from the start, in order.
    pub(super) fn begin(&mut self) {
        self.curtain = Some(exact::elapsed());
        (0..self.troupe.nodes() as u32).map(NodeId).for_each(|node| self.boot(node));
    }

    /// It is later now.
    pub(super) fn go_on(&mut self) -> Time {
        let curtain = self.curtain.expect("nothing happens before the run begins");
        let now = exact::elapsed().saturating_sub(curtain);
        let now = Time::from_nanos(u64::try_from(now.as_nanos()).expect("a run is shorter than 584 years"));
        self.troupe.go_on(now);
        now
    }

    /// How much time madsim will have simulated at a moment of the run.
    pub(super) fn moment(&self, at: Time) -> Duration {
        self.curtain.unwrap_or_default() + Duration::from_nanos(at.as_nanos())
    }

    /// A process begins its life once the run has begun.
    pub(super) fn boot_if_begun(&mut self, node: NodeId) {
        if self.curtain.is_some() {
            self.boot(node);
        }
    }

    /// A process begins its life, if it is to and has not.
    fn boot(&mut self, node: NodeId) {
        self.go_on();
        let had_booted = self.troupe.actor(node).is_some();
        let asked = self.troupe.boot(node);
        self.obey(node, asked);
        if !had_booted && let Some(role) = self.rooms[node.index()].role {
            self.bring_on(node, role);
        }
    }

    /// Users' code begins to play its part at a node, in a new life.
    fn bring_on(&mut self, node: NodeId, role: Role) {
        let Some(bridge) = self.troupe.actor(node).and_then(Player::bridge).cloned() else { return };
        let stage: Weak<dyn Stage> = self.me.clone();
        let whose = Whose { node, life: self.troupe.scene().life(node).0 };
        let part = Part::new(whose, self.playbill.clone(), stage, bridge);
        let (guests, house) = (self.guests.clone(), self.shared());
        self.spawn(node, async move {
            if let Some(error) = guests.act(role, part).await {
                panic!("it ended with an error: {error}");
            }
            super::lock(&house).leave_the_stage(whose);
        });
    }

    /// Users' code has come to its end, and with it the process.
    fn leave_the_stage(&mut self, whose: Whose) {
        self.go_on();
        if self.is_alive(whose) {
            self.end_of(whose.node);
            self.wake();
        }
    }

    /// Whether a process is still in this life.
    pub(super) fn is_alive(&self, Whose { node, life }: Whose) -> bool {
        let scene = self.troupe.scene();
        scene.life(node).0 == life && scene.status(node) != Status::Down
    }

    /// A process is told something, if it runs.
    pub(super) fn tell(&mut self, node: NodeId, told: Told<Player>) {
        self.go_on();
        let asked = self.troupe.tell(node, told);
        self.obey(node, asked);
    }

    pub(super) fn obey(&mut self, node: NodeId, asked: Vec<Effect<Player>>) {
        let mut exit = None;
        for effect in asked {
            match effect {
                Effect::Timer { at, timer } => self.remind(node, at, timer),
                Effect::Send { to, msg, luck: _ } => self.send(node, to, msg),
                Effect::Stream { to, msg, luck: _ } => self.stream(node, to, msg),
                Effect::HangUp { to } => self.rooms[node.index()].links.hang_up(to),
                Effect::Exit { by } => exit = exit.or(Some(by)),
                Effect::Recycle { node, after } => self.recycle(node, after),
                Effect::Write(_) | Effect::Sync | Effect::Touch { .. } | Effect::Observe(_) => {
                    unreachable!("the troupe obeys that")
                }
            }
        }
        if let Some(by) = exit {
            self.exit(node, by);
        }
        if Witness::<Player>::wants_attention(self.troupe.witness()) {
            self.wake();
        }
    }

    /// The director is to look what there is.
    pub(super) fn wake(&self) {
        self.director.iter().for_each(Waker::wake_by_ref);
    }

    fn remind(&mut self, node: NodeId, at: Time, timer: Timer) {
        let (house, moment) = (self.shared(), self.moment(at));
        self.rooms[node.index()].timers += 1;
        self.spawn(node, async move {
            exact::until(moment).await;
            let mut house = super::lock(&house);
            house.rooms[node.index()].timers -= 1;
            house.tell(node, Told::Timer(timer));
        });
    }

    pub(super) fn shared(&self) -> Shared {
        self.me.upgrade().expect("who asks holds it")
    }

    /// The number of a new connection.
    pub(super) fn number(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// A task of a node, which dies with it and stands still with it.
    pub(super) fn spawn(&mut self, node: NodeId, task: impl Future<Output = ()> + Send + 'static) {
        self.spawned += 1;
        if self.spawned.is_multiple_of(SPAWNED_BETWEEN) {
            handle().metrics().num_tasks();
        }
        let place = handle().get_node(self.rooms[node.index()].place).expect("every node is madsim's");
        drop(place.spawn(task));
    }

    // The director's.

    /// Whether something has happened that the director must look at; if not, it is woken when it has.
    pub(super) fn calls(&mut self, director: &Waker) -> bool {
        self.director = Some(director.clone());
        Witness::<Player>::wants_attention(self.troupe.witness())
    }

    /// When a gauge is to be read next, or a supervisor starts somebody.
    pub(super) fn next_at(&self) -> Option<Time> {
        let gauges = self.troupe.witness().audience.next_at();
        self.supervised.first().map(|&(at, _)| at).into_iter().chain(gauges).min()
    }

    /// Reads the gauges that are to be read now: the lines that have just been crossed.
    pub(super) fn read_gauges(&mut self) -> Vec<usize> {
        let now = self.troupe.scene().now();
        if self.troupe.witness_mut().0.audience.takes_census(now) {
            self.take_census();
        }
        self.troupe.witness_mut().0.audience.read(now)
    }

    /// Looks how much every model holds, and has the witness told. Of users' code nobody knows.
    fn take_census(&mut self) {
        for (node, room) in (0..).map(NodeId).zip(&self.rooms) {
            let driven = Driven { timers: room.timers, connections: room.links.opened_by_it() };
            let Some(model) = self.troupe.actor(node).and_then(Player::model) else { continue };
            let holds = holdings::of(model, driven);
            let (witness, scene) = self.troupe.witness_mut();
            for (what, many) in holds {
                Witness::<Player>::observe(witness, &scene, node, &Observation::Holds { what, many });
            }
        }
    }

    // The end.

    /// Of all that has happened.
    pub(super) fn digest(&self) -> DigestValue {
        self.troupe.digest()
    }

    /// How much has happened.
    pub(super) fn events(&self) -> u64 {
        self.troupe.events()
    }

    /// What has watched.
    pub(super) fn chronicle(&self) -> Chronicle {
        self.troupe.witness().audience.audience.clone()
    }

    /// The name of each node, by what madsim calls it.
    pub(super) fn names(&self) -> Vec<(Place, String)> {
        let name =
            |(node, room): (u32, &Room)| (room.place, self.troupe.scene().name(NodeId(node)).to_owned());
        (0..).zip(&self.rooms).map(name).collect()
    }

    /// All nodes end: nothing is left that holds the house.
    pub(super) fn clear(&mut self) {
        for room in &mut self.rooms {
            handle().kill(room.place);
            room.endpoint = None;
        }
    }
}

impl Room {
    fn at(place: Place, role: Option<Role>) -> Room {
        Room {
            place,
            endpoint: None,
            links: Links::default(),
            timers: 0,
            farewells: Vec::new(),
            embers: Vec::new(),
            dark: false,
            hears_later: false,
            role,
        }
    }
}
