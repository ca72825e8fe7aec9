//! Instances of a service: they register, keep their lease alive, and serve requests from slots and a queue.

mod guard;
mod ills;
mod report;
mod waits;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use schism_core::{Distribution, Draw, Duration, NodeId, Time};

use self::guard::Guard;
use self::report::{Note, Reporter};
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, ServiceId};
use crate::node::{Attempt, Ctx, Health, Message, ProbePath, Reply, Timer};
use crate::observation::Observation;
use crate::plight::{Deregister, Plight};
use crate::registry::{self, AnyAddress, AnyRegistrar};

/// One service: all its instances are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long one request is served.
    pub service: Distribution,
    /// Requests served at once; 0 is unlimited.
    pub slots: u32,
    /// Requests waiting at most, beyond those being served; `None` is unlimited.
    pub queue: Option<u32>,
    /// The weight that the instance registers with.
    pub weight: u32,
    /// What instances are labelled with.
    pub labels: Vec<Label>,
    /// Whether an instance registers anew when it learns that its lease is gone. The etcd client library does not do
    /// so by itself; applications do.
    pub re_register: ReRegister,
}

/// One label of a service's instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What it says, of how many instances each: in the order of their numbers. The rest have no such label.
    pub values: Vec<(String, u32)>,
}

impl Label {
    /// What it says of the instance with this number, if anything.
    pub fn of(&self, ordinal: u32) -> Option<&str> {
        let mut until = 0;
        let mut covers = |count: u32| {
            until += count;
            ordinal < until
        };
        self.values.iter().find(|(_, count)| covers(*count)).map(|(value, _)| value.as_str())
    }
}

/// What an instance does when it learns that its lease is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReRegister {
    /// Asks for a new lease and writes its key again.
    Always,
    /// Stays invisible: what the bare client library does.
    Never,
}

/// Where an instance stands.
#[derive(Clone, Debug)]
pub struct Post {
    /// What it does.
    pub config: Arc<Config>,
    /// Its service.
    pub service: ServiceId,
    /// How it is listed.
    pub endpoint: Endpoint,
    /// Where it registers; a static list needs no registration.
    pub registry: Option<AnyAddress>,
    /// Whether it reports its load with each reply: whether a client that calls it wants to know.
    pub reports: Reports,
}

/// Whether an instance counts and reports its load. Probes are answered either way, but without it only by what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// It does.
    Load,
    /// Nobody wants to know.
    Nothing,
}

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance {
    post: Arc<Post>,
    registrar: Option<AnyRegistrar>,
    /// What is being served, by slot. A free slot holds nothing.
    serving: Vec<Option<Work>>,
    free: Vec<u32>,
    busy: u32,
    waiting: VecDeque<Work>,
    /// What will be answered with an error, by a number of its own.
    failing: BTreeMap<u32, Work>,
    failures: u32,
    passes: Passes,
    /// Requests that a failpoint has put off, by a number of its own.
    late: BTreeMap<u32, Work>,
    last_late: u32,
    /// The true moment at which this life began.
    booted: Time,
    /// The clients that have opened a connection, as far as is known.
    connected: BTreeSet<NodeId>,
    /// What it has counted, if it reports.
    reporter: Option<Box<Reporter>>,
    /// What it has seen of locks, if it is what they guard.
    guard: Guard,
}

#[derive(Clone, Copy, Debug)]
struct Work {
    client: NodeId,
    came: Came,
    attempt: Attempt,
    luck: Draw,
    /// The true moment at which it came, and later at which its service began: for the witnesses alone.
    since: Time,
    /// How long it waited, once that is over.
    waited: Duration,
    /// What is noted of it by its own clock, if the instance reports.
    note: Note,
}

/// How an attempt has come, and its reply goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// As an exchange of its own.
    Alone,
    /// On the client's connection.
    Connected,
    /// As a probe of its health.
    Probe,
}

/// Labels of what is derived from an attempt's luck, on the instance's side, and from a ping's.
const DEMAND: u64 = 2;
const REPLY_HOP: u64 = 3;

impl Instance {
    /// An instance starts.
    pub fn boot(post: &Arc<Post>, ctx: &mut Ctx<'_>) -> Instance {
        // Another process at this address has no part in this service.
        let is_stranger = ctx.plight().and_then(Plight::stranger).is_some();
        let registry = post.registry.as_ref().filter(|_| !is_stranger);
        let registrar = registry.map(|address| {
            AnyRegistrar::boot(address, post.service, post.endpoint, post.config.re_register, ctx)
        });
        let mut instance = Instance {
            post: post.clone(),
            registrar,
            serving: Vec::new(),
            free: Vec::new(),
            busy: 0,
            waiting: VecDeque::new(),
            failing: BTreeMap::new(),
            failures: 0,
            passes: Passes::default(),
            late: BTreeMap::new(),
            last_late: 0,
            booted: ctx.moment(),
            connected: BTreeSet::new(),
            reporter: match post.reports {
                Reports::Load if !is_stranger => Some(Box::new(Reporter::new(ctx.now()))),
                Reports::Load | Reports::Nothing => None,
            },
            guard: Guard::default(),
        };
        instance.on_plight(ctx);
        instance
    }

    /// What ails it has changed. One that is told to end takes itself off the list, unless it is rude, and serves on.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        if let Some((by, Deregister::First)) = ctx.plight().and_then(Plight::stopping)
            && let Some(registrar) = &mut self.registrar
            && registrar.leave(ctx)
        {
            ctx.touch(by);
        }
        self.weigh(ctx);
        self.on_leaked(ctx);
        self.take_up(ctx);
    }

    /// An attempt has come: it is served, or waits, or fails, or is turned away.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, client: NodeId, attempt: Attempt, luck: Draw) {
        let came = if self.connected.contains(&client) { Came::Connected } else { Came::Alone };
        let (since, waited, note) = (ctx.moment(), Duration::ZERO, self.note(ctx));
        let work = Work { client, came, attempt, luck, since, waited, note };
        match self.passes.pass(ctx, Point::InstanceServe) {
            Pass::Clear => self.take(ctx, work),
            Pass::Late(by) => self.put_off(ctx, by, work),
            Pass::Fails(_) => self.reply(ctx, work, Reply::Failed),
            // Whoever waits is reset by the host of a process that ends.
            Pass::Ends => self.waiting.push_back(work),
        }
    }

    fn put_off(&mut self, ctx: &mut Ctx<'_>, by: Duration, work: Work) {
        self.last_late = self.last_late.wrapping_add(1);
        self.late.insert(self.last_late, work);
        ctx.after(by, Timer::ServeLate { place: self.last_late });
    }

    /// It is time for a request that was put off.
    pub fn on_serve_late(&mut self, ctx: &mut Ctx<'_>, place: u32) {
        let work = self.late.remove(&place).expect("what was put off was kept");
        self.take(ctx, work);
    }

    fn take(&mut self, ctx: &mut Ctx<'_>, work: Work) {
        if self.falters(ctx, work) {
            return;
        }
        if self.has_room(ctx) {
            return self.serve(ctx, work);
        }
        self.blame(ctx);
        if self.post.config.queue.is_none_or(|most| self.waiting.len() < most as usize) {
            self.waiting.push_back(work);
        } else {
            self.reply(ctx, work, Reply::Full);
        }
    }

    /// A slot has done its work.
    pub fn on_served(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
        let work = self.serving[slot as usize].take().expect("a slot that is done was at work");
        self.free.push(slot);
        self.busy -= 1;
        self.tell_busy(ctx);
        if work.came != Came::Probe {
            ctx.observe(Observation::Served { waited: work.waited, took: ctx.moment().since(work.since) });
        }
        self.reply(ctx, work, Reply::Done);
        self.take_up(ctx);
    }

    /// Serves what waits, as far as slots are free.
    fn take_up(&mut self, ctx: &mut Ctx<'_>) {
        while self.has_room(ctx)
            && let Some(mut next) = self.waiting.pop_front()
        {
            next.waited = ctx.moment().since(next.since);
            next.since = ctx.moment();
            self.serve(ctx, next);
        }
    }

    /// The registry has said something.
    pub fn on_registry(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &registry::Msg) {
        self.with_registrar(|registrar| registrar.on_message(ctx, from, msg));
    }

    /// A client opens a connection, or asks whether this host is still there.
    pub fn on_ping(&mut self, ctx: &mut Ctx<'_>, client: NodeId, luck: Draw) {
        self.connected.insert(client);
        ctx.stream_with(client, Message::Pong, luck.derive(REPLY_HOP));
    }

    /// What checks its health asks how it is: it says so, or it works on that as on a request.
    pub fn on_probe(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32, path: ProbePath, luck: Draw) {
        let attempt = Attempt { slot: 0, request: number };
        let (came, since) = (Came::Probe, ctx.moment());
        let (waited, note) = (Duration::ZERO, self.note(ctx));
        let work = Work { client: from, came, attempt, luck, since, waited, note };
        match (ctx.plight().and_then(Plight::failing_probe), path) {
            (Some(by), _) => {
                ctx.touch(by);
                self.reply(ctx, work, Reply::Failed);
            }
            (None, ProbePath::Apart) => self.reply(ctx, work, Reply::Done),
            (None, ProbePath::Queue) => self.take(ctx, work),
        }
    }

    /// A peer's host has reset the connection.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.connected.remove(&peer);
        self.with_registrar(|registrar| registrar.on_reset(ctx, peer));
    }

    /// What is about the registration, if there is one.
    pub fn with_registrar(&mut self, act: impl FnOnce(&mut AnyRegistrar)) {
        if let Some(registrar) = &mut self.registrar {
            act(registrar);
        }
    }

    /// Whether it knows itself to be on the list; where there is no registry, it always is.
    pub fn is_registered(&self) -> bool {
        self.registrar.as_ref().is_none_or(AnyRegistrar::is_registered)
    }

    /// The clients that wait for an answer or are connected, and the registry member.
    pub fn peers(&self) -> Vec<NodeId> {
        let works = self
            .serving
            .iter()
            .flatten()
            .chain(&self.waiting)
            .chain(self.late.values())
            .chain(self.failing.values());
        let clients = works.map(|work| work.client).chain(self.connected.iter().copied());
        let registry = self.registrar.as_ref().map_or_else(Vec::new, AnyRegistrar::peers);
        let peers: BTreeSet<NodeId> = clients.chain(registry).collect();
        peers.into_iter().collect()
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, mut work: Work) {
        if self.reporter.is_some() {
            work.note.began = ctx.now();
        }
        let demand = self.post.config.service.sample(work.luck.derive(DEMAND));
        let takes = demand + self.delay(ctx, work, demand);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.serving[slot as usize] = Some(work);
                slot
            }
            None => {
                self.serving.push(Some(work));
                self.serving.len() as u32 - 1
            }
        };
        self.busy += 1;
        self.tell_busy(ctx);
        ctx.after(takes, Timer::Served { slot });
    }

    /// Answers, the way that the attempt came. A client that has gone takes no answer, though the work was done.
    fn reply(&mut self, ctx: &mut Ctx<'_>, work: Work, reply: Reply) {
        let Work { client, attempt, luck, came, .. } = work;
        let load = match came {
            Came::Alone | Came::Connected => self.report(ctx, work, reply),
            Came::Probe => None,
        };
        let (message, hop) = (Message::Reply { attempt, reply, load }, luck.derive(REPLY_HOP));
        match came {
            Came::Alone => ctx.send_with(client, message, hop),
            Came::Connected if self.connected.contains(&client) => ctx.stream_with(client, message, hop),
            Came::Connected => {}
            Came::Probe => {
                let health = match reply {
                    Reply::Done => Health::Well,
                    Reply::Full | Reply::Failed => Health::Ill,
                };
                ctx.stream_with(client, Message::Probed { number: attempt.request, health }, hop);
            }
        }
    }
}
