//! A client's calls to the registry as a key-value store, and what the witnesses are told of the keys that they are about.

use schism_core::Draw;

use super::discovery::Source;
use super::requests::Stage;
use super::{Callee, Client, KEY};
use crate::keys::Keys;
use crate::node::Ctx;
use crate::observation::{Act, Observation, Value};
use crate::registry::{Learnt, Pair, Told};

/// One operation on the registry as a key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Write a key.
    Put,
    /// Read through the leader and a quorum.
    Get,
    /// Read what the member that was asked has.
    GetSerializable,
}

impl Operation {
    /// What it does to a key.
    fn act(self) -> Act {
        match self {
            Operation::Put => Act::Write,
            Operation::Get | Operation::GetSerializable => Act::Read,
        }
    }
}

impl Client {
    /// The request goes to the member that the client is connected to.
    pub(super) fn call(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
        let (Source::Itself(caller), Callee::Registry(operation)) =
            (&mut self.source, self.desk.config.calls)
        else {
            unreachable!("only who calls the registry has a caller");
        };
        let member = caller.member();
        let request = self.requests.get(slot);
        ctx.observe(Observation::Attempt { to: member, request: request.number, key: None });
        let pair = shared_key(&self.desk.config.keys, request.luck).map(|key| {
            let (call, act) = (request.number, operation.act());
            ctx.observe(Observation::Called { call, key, act, to: member });
            Pair { key, value: Value::of(ctx.me(), call) }
        });
        let call = caller.call(ctx, operation, pair, self.desk.config.timeout);
        self.requests.set_stage(slot, Stage::Asking { member, call });
    }

    /// A call to the registry is over: what the witnesses are told of the key that it was about.
    pub(super) fn tell_of_key(&self, ctx: &mut Ctx<'_>, slot: u32, learnt: Option<Learnt>) {
        let request = self.requests.get(slot);
        let call = request.number;
        if let Some(revision) = learnt.and_then(|learnt| learnt.state) {
            ctx.observe(Observation::Saw { request: call, revision });
        }
        if shared_key(&self.desk.config.keys, request.luck).is_some() {
            ctx.observe(match learnt.and_then(|learnt| learnt.key) {
                Some(Told::Written(revision)) => Observation::Written { call, revision },
                Some(Told::Holds(Some((revision, value)))) => Observation::Fetched { call, revision, value },
                Some(Told::Holds(None)) => {
                    Observation::Fetched { call, revision: 0, value: Value::default() }
                }
                None => Observation::Unanswered { call },
            });
        }
    }
}

/// The key of the registry's that a request is about; none, if each has one of its own.
pub(super) fn shared_key(keys: &Keys, request: Draw) -> Option<u32> {
    match keys {
        Keys::Unique => None,
        Keys::Uniform(_) | Keys::Zipf(_) => Some(keys.of(request.derive(KEY)) as u32),
    }
}
