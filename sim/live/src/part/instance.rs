//! An instance of a service whose code is the user's.

use std::future::poll_fn;
use std::time::Duration;

use schism_core::Time;
use schism_models::client::Connections;
use schism_models::node::{Message, Reply};
use schism_models::observation::Observation;

use super::Part;
use crate::bridge::Come;
use crate::stage::Way;

/// An instance of a service.
///
/// Where the registry is a model, a model registers it and keeps it registered, beside the user's code; where the clients are
/// models, their requests come as [`asked`](Instance::asked).
#[derive(Clone)]
pub struct Instance(pub(crate) Part);

impl Instance {
    /// It has been told that it is registered.
    pub fn registered(&self) {
        self.observe(Observation::Registered);
    }

    /// It has been told that its lease lives on.
    pub fn renewed(&self) {
        self.observe(Observation::Renewed);
    }

    /// It has learnt that its lease is gone.
    pub fn lease_lost(&self) {
        self.observe(Observation::LeaseLost);
    }

    /// It begins to serve an attempt.
    pub fn serving(&self) -> Serving {
        let now = self.moment();
        Serving { instance: self.clone(), came: now, began: now }
    }

    /// How long some work takes, drawn from the `service` of the scenario: for a stand-in of what the user's code does.
    pub fn work(&self) -> Duration {
        let scenario = &self.life.playbill.scenario;
        let me = self.life.whose.node;
        let is_of = |group: &&schism_scenario::Group<_>| group.nodes.iter().any(|node| node.id == me);
        let spare = || scenario.spares.iter().find(|spare| spare.node.id == me).map(|spare| spare.service);
        let group = scenario.services.iter().find(is_of).or_else(|| scenario.services.get(spare()?));
        let service = &group.expect("an instance is of a service").config.service;
        let mut memory = self.memory();
        let luck = memory.work.get_or_insert_with(|| self.luck("work"));
        Duration::from_nanos(luck.sample(service).as_nanos())
    }

    /// The next request of a client that is a model. It waits for an answer.
    pub async fn asked(&self) -> Asked {
        let come = poll_fn(|context| self.life.bridge.poll_request(context)).await;
        Asked { serving: Serving { instance: self.clone(), came: come.at, began: self.moment() }, come }
    }

    /// Leaves the registry, where that is a model: in this life for good.
    pub fn deregister(&self) {
        if let Some(stage) = self.stage() {
            stage.leave(self.life.whose);
        }
    }

    fn moment(&self) -> Time {
        self.stage().map_or(Time::START, |stage| stage.now())
    }
}

/// An attempt that is being served. What is dropped before it is done has not been served to the end.
#[must_use = "say when it is `done`"]
pub struct Serving {
    instance: Instance,
    came: Time,
    began: Time,
}

impl Serving {
    /// It has been served.
    pub fn done(self) {
        let Serving { instance, came, began } = self;
        let (waited, took) = (began.since(came), instance.moment().since(began));
        instance.observe(Observation::Served { waited, took });
    }
}

/// A request of a client that is a model. What is dropped without an answer is never answered.
#[must_use = "a request waits for an answer"]
pub struct Asked {
    serving: Serving,
    come: Come,
}

impl Asked {
    /// The name of the client.
    pub fn client(&self) -> &str {
        self.serving.instance.life.playbill.name(self.come.from)
    }

    /// The work is done.
    pub fn done(self) {
        self.answer(Reply::Done);
        self.serving.done();
    }

    /// The work has failed.
    pub fn failed(self) {
        self.answer(Reply::Failed);
    }

    /// There is no room for it.
    pub fn full(self) {
        self.answer(Reply::Full);
    }

    fn answer(&self, reply: Reply) {
        let Come { from, attempt, .. } = self.come;
        let life = &self.serving.instance.life;
        let clients = &life.playbill.scenario.clients;
        let of = |group: &&schism_scenario::Group<_>| group.nodes.iter().any(|node| node.id == from);
        let way = match clients.iter().find(of).map(|group| &group.config.connections) {
            Some(Connections::Pooled(_)) => Way::Connection,
            Some(Connections::Warm) | None => Way::Alone,
        };
        if let Some(stage) = self.serving.instance.stage() {
            stage.send(life.whose, from, Message::Reply { attempt, reply, load: None }, way);
        }
    }
}
