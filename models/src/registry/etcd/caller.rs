//! A client that uses etcd as a key-value store.

use schism_core::{Duration, NodeId, ZoneId};

use super::api::{Answer, Ask, Msg};
use super::session::{self, Session};
use super::{Config, Timer};
use crate::cache::Reads;
use crate::client::Operation;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Ending, Learnt, Pair, Told};
use crate::waits::Wait;

/// A client's connection, over which it calls.
#[derive(Clone, Debug)]
pub struct Caller {
    session: Session,
}

impl Caller {
    /// A client in `zone`, connected to nobody yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, ctx: &Ctx<'_>) -> Caller {
        Caller { session: Session::new(address, zone, ctx) }
    }
}

impl registry::Caller for Caller {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.session.waits("call")
    }

    fn call(&mut self, ctx: &mut Ctx<'_>, operation: Operation, key: Option<Pair>, timeout: Duration) -> u32 {
        self.session.ask(ctx, ask(operation, key), timeout)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Ending> {
        self.session.on_heard(ctx, from);
        let Msg::Answer { call, answer } = msg else { return None };
        let learnt = match *self.session.on_answer(ctx, *call, answer)? {
            Answer::Put(header) => Some(Learnt::new(header.revision, Told::Written(header.revision))),
            Answer::Value(header, value) => Some(Learnt::new(header.revision, Told::Holds(value))),
            Answer::Failed(_) => None,
            Answer::Done | Answer::Granted { .. } | Answer::Listing(..) | Answer::Claim(_) => {
                unreachable!("a caller asks for no {answer:?}")
            }
        };
        let outcome = if learnt.is_some() { Outcome::Success } else { Outcome::Rejected };
        Some(Ending::Call { call: *call, outcome, learnt })
    }

    /// A call that is not answered in time goes to the next member when it is made again; the others stay open.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<Ending> {
        match timer {
            Timer::Session(session::Timer::Unanswered { call }) => {
                self.session.on_unanswered(call).then(|| {
                    self.session.look_elsewhere();
                    Ending::Call { call, outcome: Outcome::Timeout, learnt: None }
                })
            }
            Timer::Session(session::Timer::Silence { connection }) => {
                let member = self.session.member();
                self.session.on_silence(ctx, connection).then_some(Ending::Connection(member))
            }
            Timer::Member(_) | Timer::Registrar(_) | Timer::Subscriber(_) | Timer::Locker(_) => {
                unreachable!("a caller has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.session.lose(ctx, peer);
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.session.lose(ctx, self.session.member());
    }

    fn member(&self) -> NodeId {
        self.session.member()
    }
}

fn ask(operation: Operation, pair: Option<Pair>) -> Ask {
    let key = pair.map(|pair| pair.key);
    match operation {
        Operation::Put => Ask::Put(pair),
        Operation::Get => Ask::Get { key, reads: Reads::Linearizable },
        Operation::GetSerializable => Ask::Get { key, reads: Reads::Serializable },
    }
}
