//! What an agent asks the servers: one thing at a time, and again of another server where that is safe
//! (agent/consul/client.go, `RPC`).

use schism_core::{NodeId, Time};

use super::super::api::{Answer, Ask, Failure, Msg, Timer};
use super::super::catalog::Registration;
use super::super::local::Step;
use super::super::stagger::stagger;
use super::Agent;
use crate::node::Ctx;
use crate::waits::Wait;

/// Jitters are a sixteenth of what they belong to (agent/structs/structs.go, `JitterFraction`).
const JITTER: u64 = 16;

/// What the servers are asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    number: u32,
    ask: Ask,
    /// Since when.
    since: Time,
    pub(super) to: NodeId,
    /// What is told by it; nothing, if all is compared.
    step: Option<Step>,
}

impl Agent {
    /// What its call to the servers waits for.
    pub fn waits(&self) -> Vec<Wait> {
        let call = self.call.iter();
        call.map(|call| {
            Wait::new("sync", format!("the answer to {:?}", call.ask), [call.to]).since(call.since)
        })
        .collect()
    }

    /// Asks what the servers have of this host: a full sync begins.
    pub(super) fn compare(&mut self, ctx: &mut Ctx<'_>) {
        self.begin(ctx, Ask::Host(self.host), None);
    }

    /// Tells the servers what is next to be told; if nothing is, all are in sync.
    pub(super) fn tell_next(&mut self, ctx: &mut Ctx<'_>) {
        let host = self.host;
        let Some(step) = self.local.next_step() else { return self.syncer.on_synced(true) };
        let register =
            |service, check| Ask::Register(Registration { host, service: Some(service), check, serf: None });
        let ask = match step {
            Step::Remove(cause) => Ask::Remove { host, cause },
            Step::Service { service, check } => register(service, check),
            Step::Check { service, check } => register(service, Some(check)),
        };
        self.begin(ctx, ask, Some(step));
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>, ask: Ask, step: Option<Step>) {
        let since = ctx.now();
        self.ask(ctx, ask, since, step);
    }

    /// Asks the first server. An agent that knows of none fails at once.
    fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask, since: Time, step: Option<Step>) {
        let Some(&to) = self.servers.first() else { return self.syncer.on_synced(false) };
        self.calls = self.calls.wrapping_add(1);
        let number = self.calls;
        self.call = Some(Call { number, ask, since, to, step });
        self.pulse.listen(ctx);
        ctx.stream(to, Msg::Ask { call: number, ask }.into());
    }

    /// A server has answered.
    pub(super) fn on_answer(&mut self, ctx: &mut Ctx<'_>, number: u32, answer: &Answer) {
        let Some(call) = self.call.filter(|call| call.number == number) else { return };
        match (answer, call.step) {
            (Answer::Host(host), None) => {
                self.call = None;
                self.local.compare(host.as_ref());
                self.tell_next(ctx);
            }
            (Answer::Done, Some(step)) => {
                self.call = None;
                self.local.told(step);
                self.tell_next(ctx);
            }
            (Answer::Failed(Failure::NoLeader), _) => self.fail(ctx, call, true),
            (Answer::Failed(_), _) => self.fail(ctx, call, false),
            (
                Answer::Host(_)
                | Answer::Done
                | Answer::Found(_)
                | Answer::Put { .. }
                | Answer::Value(_)
                | Answer::Key(_),
                _,
            ) => {}
        }
        self.heed_syncer(ctx);
    }

    /// The connection to a server broke: what only reads is asked again.
    pub(super) fn on_broken(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if let Some(call) = self.call.filter(|call| call.to == peer) {
            self.fail(ctx, call, call.ask.mode().is_some());
        }
    }

    /// The connection to the server may have been silent for too long.
    pub(super) fn on_pulse(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let Some(&server) = self.servers.first() else { return };
        let to = self.call.map_or(server, |call| call.to);
        if self.pulse.on_timer(ctx, number, to, self.call.is_some()) {
            ctx.hang_up(to);
            self.on_broken(ctx, to);
        }
    }

    /// A call has failed: the next server is asked next time, which is soon if that is safe and the call has time.
    fn fail(&mut self, ctx: &mut Ctx<'_>, call: Call, is_safe: bool) {
        if self.servers.first() == Some(&call.to) {
            self.servers.rotate_left(1);
        }
        self.pulse.renew();
        if is_safe && ctx.now().since(call.since) <= self.config.hold {
            let wait = stagger(self.config.hold / JITTER, self.luck.draw());
            // Nobody answers to this number any more.
            self.calls = self.calls.wrapping_add(1);
            self.call = Some(Call { number: self.calls, ..call });
            ctx.after(wait, Timer::Retry(self.calls).into());
        } else {
            self.call = None;
            self.syncer.on_synced(false);
        }
    }

    /// It is time to ask again.
    pub(super) fn on_retry(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some(Call { ask, since, step, .. }) = self.call.filter(|call| call.number == number) {
            self.ask(ctx, ask, since, step);
        }
    }
}
