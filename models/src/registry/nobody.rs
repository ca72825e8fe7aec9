//! Nobody: a part that a registry does not have.

use schism_core::{Duration, NodeId, ZoneId};

use super::{Address, Caller, Ending};
use crate::client::Operation;
use crate::node::Ctx;

/// The caller of a registry that is no key-value store: there is none. `M` and `T` are its messages and timers.
#[derive(Clone, Copy, Debug)]
pub enum Nobody<M, T> {
    /// Never.
    #[doc(hidden)]
    Is(std::convert::Infallible, std::marker::PhantomData<(M, T)>),
}

impl<M, T> Nobody<M, T> {
    /// Never happens.
    ///
    /// # Panics
    /// Always: a scenario is refused whose clients call a registry that takes no calls.
    pub fn new<C>(_: &Address<C>, _: ZoneId, _: &Ctx<'_>) -> Self {
        unreachable!("a checked scenario calls only a registry that takes calls")
    }
}

impl<M, T> Caller for Nobody<M, T> {
    type Msg = M;
    type Timer = T;

    fn call(&mut self, _: &mut Ctx<'_>, _: Operation, _: Duration) -> u32 {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }

    fn on_message(&mut self, _: &mut Ctx<'_>, _: NodeId, _: &M) -> Option<Ending> {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }

    fn on_timer(&mut self, _: &mut Ctx<'_>, _: T) -> Option<Ending> {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }

    fn on_reset(&mut self, _: &mut Ctx<'_>, _: NodeId) {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }

    fn reconnect(&mut self, _: &mut Ctx<'_>) {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }

    fn member(&self) -> NodeId {
        match *self {
            Nobody::Is(never, _) => match never {},
        }
    }
}
