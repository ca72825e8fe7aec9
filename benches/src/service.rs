//! W2: closed-loop clients call servers across a network, each request guarded by a timer that is never needed.

use std::collections::VecDeque;

use schism_core::{
    Actor, Birth, Ctx, Distribution, Draw, Duration, Link, Luck, NodeId, Part, Ratio, Seed, Topology, World,
};

const CLIENTS: u32 = 100;
const SERVERS: u32 = 20;
const TIMEOUT: Duration = Duration::from_millis(100);

/// A client or a server.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the workload is of a model that takes no care of it")]
pub enum Node {
    /// Always has one request under way.
    Client {
        /// One word per request.
        luck: Luck,
        /// The request under way.
        request: u32,
        /// How many were answered.
        done: u64,
    },
    /// Serves one request after another.
    Server {
        /// How long that takes.
        service: Distribution,
        /// Who waits, the first being served.
        queue: VecDeque<(NodeId, u32, Draw)>,
    },
}

/// Which of the two a node is.
#[derive(Clone, Debug)]
pub enum Role {
    /// A client.
    Client,
    /// A server.
    Server(Distribution),
}

/// A request or its answer.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// The client's number for it, and its luck.
    Request(u32, Draw),
    /// The number.
    Reply(u32),
}

/// A time-out of a request, or the end of a service.
#[derive(Clone, Debug, Hash)]
pub enum Timer {
    /// The request is late, if it is still the one under way.
    Late(u32),
    /// The service is over.
    Served,
}

fn ask(ctx: &mut Ctx<'_, Node>, luck: &mut Luck, request: u32) {
    let luck = luck.draw();
    let server = NodeId(CLIENTS + luck.below(SERVERS));
    ctx.send_with(server, Msg::Request(request, luck), luck.derive(1));
    ctx.after(TIMEOUT, Timer::Late(request));
}

impl Actor for Node {
    type Config = Role;
    type Msg = Msg;
    type Timer = Timer;
    type Durable = ();
    type Observation = ();
    type Plight = ();

    fn boot(role: &Role, (): &(), ctx: &mut Ctx<'_, Node>) -> Node {
        match role {
            Role::Client => {
                let mut luck = ctx.luck("requests");
                ask(ctx, &mut luck, 0);
                Node::Client { luck, request: 0, done: 0 }
            }
            Role::Server(service) => Node::Server { service: service.clone(), queue: VecDeque::new() },
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Node>, from: NodeId, msg: Msg) {
        match (self, msg) {
            (Node::Server { service, queue }, Msg::Request(request, luck)) => {
                queue.push_back((from, request, luck));
                if queue.len() == 1 {
                    ctx.after(service.sample(luck.derive(2)), Timer::Served);
                }
            }
            (Node::Client { luck, request, done }, Msg::Reply(answered)) if *request == answered => {
                *done += 1;
                *request += 1;
                ask(ctx, luck, *request);
            }
            (Node::Client { .. }, Msg::Reply(_) | Msg::Request(..))
            | (Node::Server { .. }, Msg::Reply(_)) => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Node>, timer: Timer) {
        match (self, timer) {
            (Node::Server { service, queue }, Timer::Served) => {
                let (client, request, luck) = queue.pop_front().expect("someone was served");
                ctx.send_with(client, Msg::Reply(request), luck.derive(3));
                if let Some((_, _, luck)) = queue.front() {
                    ctx.after(service.sample(luck.derive(2)), Timer::Served);
                }
            }
            (Node::Client { luck, request, .. }, Timer::Late(late)) if *request == late => {
                *request += 1;
                ask(ctx, luck, *request);
            }
            (Node::Client { .. }, Timer::Late(_) | Timer::Served) | (Node::Server { .. }, Timer::Late(_)) => {
            }
        }
    }

    fn on_reset(&mut self, _: &mut Ctx<'_, Node>, _: NodeId) {}
    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}

/// 100 clients, 20 servers, 0.5 to 2 ms each way, exponential service of 5 ms.
pub fn world() -> World<Node, ()> {
    let mut topology = Topology::new();
    let [shortest, longest, mean] = [500, 2_000, 5_000].map(|us| Duration::from_nanos(us * 1_000));
    let latency = Distribution::uniform(shortest, longest).expect("in order");
    let service = Distribution::exponential(mean).expect("a positive mean");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let part = |name: String, config: Role| Part { name, zone, config, birth: Birth::AtStart, host: None };
    let clients = (0..CLIENTS).map(|n| part(format!("client-{n}"), Role::Client));
    let servers = (0..SERVERS).map(|n| part(format!("server-{n}"), Role::Server(service.clone())));
    World::new(&topology, clients.chain(servers).collect(), Seed(7), ())
}

/// Runs until so many requests have been answered; returns the requests and the events that took.
pub fn run(requests: u64) -> (u64, u64) {
    let mut world = world();
    let done = |world: &World<Node, ()>| -> u64 {
        let done = |node| match world.actor(NodeId(node)) {
            Some(Node::Client { done, .. }) => *done,
            Some(Node::Server { .. }) | None => 0,
        };
        (0..CLIENTS).map(done).sum()
    };
    while done(&world) < requests {
        world.run_until(world.now() + Duration::from_secs(1));
    }
    std::hint::black_box(world.digest());
    (done(&world), world.events())
}
