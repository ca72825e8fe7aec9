//! A client whose code is the user's.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use schism_core::{Draws, NodeId, Time};
use schism_models::client::{self, Callee, Pace};
use schism_models::node::{Attempt, Message, Reply};
use schism_models::observation::{Observation, Outcome};

use super::{Part, Peer};
use crate::bridge::{Answer, PLACE};
use crate::stage::Way;

/// A client.
///
/// Where the registry is a model, a model looks for the instances beside the user's code, and [`endpoints`](Client::endpoints)
/// are what it knows; where the instances are models, [`Request::call`] calls them.
#[derive(Clone)]
pub struct Client(pub(crate) Part);

impl Client {
    /// The name of the service that the scenario has it call.
    ///
    /// # Panics
    ///
    /// If it calls the registry instead.
    #[track_caller]
    pub fn calls(&self) -> &str {
        match self.config().calls {
            Callee::Service(number) => &self.life.playbill.scenario.services[number].name,
            Callee::Registry(_) | Callee::Locks => {
                panic!("{} calls the registry, and no service", self.name())
            }
        }
    }

    /// How long an attempt may take, as the scenario has it.
    pub fn timeout(&self) -> Duration {
        Duration::from_nanos(self.config().timeout.as_nanos())
    }

    /// When its requests come, as the scenario has it: the same moments, with the same seed, as for a model.
    pub fn arrivals(&self) -> Arrivals {
        let now = self.moment();
        let (pace, first) = Pace::start(&self.config().arrivals, now, &mut self.luck("start"));
        let luck = self.luck("requests").draw().many();
        Arrivals { client: self.clone(), pace, luck, next: Some(now + first) }
    }

    /// It has a request to make.
    pub fn offered(&self) -> Request {
        self.observe(Observation::Offered);
        let number = self.life.bridge.number();
        Request { client: self.clone(), number, offered: self.moment(), is_over: false }
    }

    /// It now holds this list of a service, and believes just those instances to be up.
    ///
    /// # Panics
    ///
    /// If there is no such service, or no such instance of it.
    #[track_caller]
    pub fn sees<S: AsRef<str>>(&self, service: &str, instances: impl IntoIterator<Item = S>) {
        self.view(service, instances);
    }

    /// It has changed its mind about one instance on its list.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    #[track_caller]
    pub fn believes(&self, instance: &str, up: bool) {
        self.opinion(instance, up);
    }

    /// Its list of a service has run out, and it knows no other: it believes nothing.
    ///
    /// # Panics
    ///
    /// If there is no such service.
    #[track_caller]
    pub fn knows_nobody(&self, service: &str) {
        self.blind(service);
    }

    /// It believes from now on that it holds a lock, with the number that came with it.
    pub fn acquired(&self, lock: u32, token: u64) {
        self.observe(Observation::Acquired { lock, token });
    }

    /// It has given a lock back.
    pub fn released(&self, lock: u32) {
        self.observe(Observation::Released { lock });
    }

    /// It has learnt that it does not hold a lock, or no longer trusts that it does.
    pub fn lock_lost(&self, lock: u32) {
        self.observe(Observation::LockLost { lock });
    }

    /// What a model that looks for the instances of its service knows of them: none before its first list has come.
    pub fn endpoints(&self) -> Endpoints {
        let (seen, list) = self.life.bridge.view();
        Endpoints { client: self.clone(), seen, list }
    }

    fn config(&self) -> &client::Config {
        let me = self.life.whose.node;
        let is_of = |group: &&schism_scenario::Group<_>| group.nodes.iter().any(|node| node.id == me);
        &self.life.playbill.scenario.clients.iter().find(is_of).expect("a client is of a group").config
    }

    fn moment(&self) -> Time {
        self.stage().map_or(Time::START, |stage| stage.now())
    }

    async fn sleep_until(&self, at: Time) {
        if let Some(stage) = self.stage() {
            stage.sleep_until(at).await;
        }
    }
}

/// When a client's requests come.
pub struct Arrivals {
    client: Client,
    pace: Pace,
    luck: Draws,
    /// When the next comes; none, if it waits for the last to be over.
    next: Option<Time>,
}

impl Arrivals {
    /// Waits for the next request. In a closed loop (`closed`) it comes a think time after this is asked for, so ask when the
    /// last is over; else it comes when it comes.
    pub async fn next(&mut self) {
        // As the model's: of each request's luck the first part is the gap to the next.
        let luck = self.luck.draw().derive(0);
        let nothing = schism_core::Duration::ZERO;
        let at = match self.next {
            Some(at) => at,
            None => {
                let think = self.pace.on_end(luck, nothing, Outcome::Success);
                self.client.moment() + think.unwrap_or(nothing)
            }
        };
        self.client.sleep_until(at).await;
        self.next = self.pace.on_arrival(at, luck).map(|gap| at + gap);
    }
}

/// What a model that looks for instances knows of them.
#[derive(Clone)]
pub struct Endpoints {
    client: Client,
    seen: u64,
    list: Option<BTreeSet<NodeId>>,
}

impl Endpoints {
    /// The instances that it believes to be up; none, if it knows of none.
    pub fn peers(&self) -> Vec<Peer> {
        let scenario = &self.client.life.playbill.scenario;
        let is_listed =
            |node: &&schism_scenario::Node| self.list.as_ref().is_some_and(|list| list.contains(&node.id));
        scenario.nodes().filter(is_listed).map(Peer::of).collect()
    }

    /// Waits until it knows something else.
    pub async fn changed(&mut self) {
        poll_fn(|context| self.client.life.bridge.poll_view(self.seen, context)).await;
        *self = self.client.endpoints();
    }
}

/// A request that a client has to make: it tries an instance, or several, and is [done](Request::done). One that is dropped
/// before has been given up: its outcome is [`Outcome::Deadline`].
#[must_use = "say how it ends: `done`"]
pub struct Request {
    client: Client,
    /// The client's number for it.
    number: u32,
    offered: Time,
    is_over: bool,
}

/// An instance that is a model has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// After how long.
    pub after: Duration,
}

/// An attempt has failed: how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed(pub Outcome);

impl Request {
    /// An attempt is sent to an instance, by the user's own means.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    #[track_caller]
    pub fn attempt(&self, instance: &str) {
        let to = self.client.instance(instance).1.node;
        self.client.observe(Observation::Attempt { to, request: self.number, key: None });
    }

    /// Calls an instance that is a model, and waits for its answer no longer than this.
    ///
    /// # Errors
    ///
    /// How it failed: `Timeout`, `Connect`, `Rejected` or `Failed`.
    ///
    /// # Panics
    ///
    /// If there is no such instance.
    pub async fn call(&self, instance: &Peer, timeout: Duration) -> Result<Answered, Failed> {
        let client = &self.client;
        let to = client.instance(&instance.name).1.node;
        client.observe(Observation::Attempt { to, request: self.number, key: None });
        let (bridge, began) = (&client.life.bridge, client.moment());
        let attempt = Ongoing { client, number: bridge.begin(to) };
        if let Some(stage) = client.stage() {
            let luck = client.luck("attempts").draw().derive(attempt.number.into());
            let asked = Attempt { slot: PLACE, request: attempt.number };
            let message = Message::Request { attempt: asked, luck };
            stage.send(client.life.whose, to, message, Way::Alone);
        }
        let mut late =
            Box::pin(client.sleep_until(began + schism_core::Duration::from_nanos(nanos(timeout))));
        let answer = poll_fn(|context| match bridge.poll_answer(attempt.number, context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => late.as_mut().poll(context).map(|()| None),
        });
        match answer.await {
            Some(Answer::Reply(Reply::Done)) => {
                Ok(Answered { after: Duration::from_nanos(client.moment().since(began).as_nanos()) })
            }
            Some(Answer::Reply(Reply::Full)) => Err(Failed(Outcome::Rejected)),
            Some(Answer::Reply(Reply::Failed)) => Err(Failed(Outcome::Failed)),
            Some(Answer::Reset) => Err(Failed(Outcome::Connect)),
            None => Err(Failed(Outcome::Timeout)),
        }
    }

    /// It is over.
    pub fn done(mut self, outcome: Outcome) {
        self.is_over = true;
        self.client.observe(Observation::Done { offered: self.offered, outcome });
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if !self.is_over
            && let Some(stage) = self.client.stage()
        {
            let given_up = Observation::Done { offered: self.offered, outcome: Outcome::Deadline };
            stage.observe_last(self.client.life.whose, given_up);
        }
    }
}

/// An attempt that nobody waits for once this is gone.
struct Ongoing<'c> {
    client: &'c Client,
    number: u32,
}

impl Drop for Ongoing<'_> {
    fn drop(&mut self) {
        self.client.life.bridge.end(self.number);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
