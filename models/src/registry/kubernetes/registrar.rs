//! A container's side: it does not register itself. It runs, is probed, and is told to end.

use schism_core::NodeId;

use super::Config;
use super::api::{Msg, Told};
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::{self, Address, Entry};
use crate::waits::Wait;

/// What an instance's host knows of it: that it runs. The kubelet there does all else.
#[derive(Clone, Debug)]
pub struct Registrar {
    kubelet: NodeId,
    service: ServiceId,
    endpoint: Endpoint,
    standing: Standing,
}

/// What the kubelet has told of the instance's pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    NotReady,
    Ready,
    /// It is being deleted.
    Leaving,
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        match self.standing {
            Standing::NotReady => vec![Wait::new("registration", "to be found ready", [self.kubelet])],
            Standing::Ready | Standing::Leaving => Vec::new(),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        match *msg {
            Msg::Inspect => self.say_that_it_runs(ctx),
            Msg::Terminate => ctx.stream(from, Msg::Exited.into()),
            Msg::Told(told) => self.on_told(ctx, told),
            // What others tell each other.
            Msg::Raft(_)
            | Msg::Call { .. }
            | Msg::Answer { .. }
            | Msg::Watch { .. }
            | Msg::Slices(_)
            | Msg::Gone { .. }
            | Msg::WatchPod { .. }
            | Msg::Pod(_)
            | Msg::Ping
            | Msg::Pong
            | Msg::Running { .. }
            | Msg::Exited
            | Msg::Leave => {}
        }
    }

    fn on_timer(&mut self, _: &mut Ctx<'_>, timer: super::Timer) {
        unreachable!("a container has no {timer:?}")
    }

    /// Its kubelet is gone; the container runs on.
    fn on_reset(&mut self, _: &mut Ctx<'_>, _: NodeId) {}

    /// Its pod is deleted: whoever does that tells the API, and the kubelet hears of it from there. Here the kubelet is
    /// told first, which is on the same host, and tells the API.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.standing == Standing::Leaving {
            return false;
        }
        self.standing = Standing::Leaving;
        ctx.stream(self.kubelet, Msg::Leave.into());
        true
    }

    /// Endpoints have no weight.
    fn weigh(&mut self, _: &mut Ctx<'_>, _: u32) -> bool {
        false
    }

    fn is_registered(&self) -> bool {
        self.standing == Standing::Ready
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.kubelet]
    }
}

impl Registrar {
    /// A container starts. Whether to register anew is not its own to decide.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register: _ } = entry;
        let aboard = address.layout.aides.iter().find(|aide| aide.host == Some(endpoint.node));
        let kubelet = aboard.expect("there is a kubelet on the host of each instance").node;
        let registrar = Registrar { kubelet, service, endpoint, standing: Standing::NotReady };
        registrar.say_that_it_runs(ctx);
        registrar
    }

    fn say_that_it_runs(&self, ctx: &mut Ctx<'_>) {
        ctx.stream(self.kubelet, Msg::Running { service: self.service, endpoint: self.endpoint }.into());
    }

    fn on_told(&mut self, ctx: &mut Ctx<'_>, told: Told) {
        match (told, self.standing) {
            (Told::Ready, Standing::NotReady) => {
                self.standing = Standing::Ready;
                ctx.observe(Observation::Registered);
            }
            (Told::NotReady, Standing::Ready) => self.standing = Standing::NotReady,
            // The lease is the node's: of a container that is not ready yet it says nothing.
            (Told::Renewed, Standing::Ready) => ctx.observe(Observation::Renewed),
            (Told::Ready, Standing::Ready | Standing::Leaving)
            | (Told::NotReady, Standing::NotReady | Standing::Leaving)
            | (Told::Renewed, Standing::NotReady | Standing::Leaving) => {}
        }
    }
}
