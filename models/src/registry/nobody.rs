//! Nobody: a part that a registry does not have.

use schism_core::{Duration, NodeId, ZoneId};

use super::{Address, Caller, Ending, Locker, Pair, Turn};
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

    fn call(&mut self, _: &mut Ctx<'_>, _: Operation, _: Option<Pair>, _: Duration) -> u32 {
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

/// The locker of a registry that has no locks: there is none.
#[derive(Clone, Copy, Debug)]
pub struct NoLocker<M, T>(Nobody<M, T>);

impl<M, T> NoLocker<M, T> {
    /// Never happens.
    ///
    /// # Panics
    /// Always: a scenario is refused whose clients contend for locks of a registry that has none.
    pub fn new<C>(_: &Address<C>, _: ZoneId, _: Duration, _: &Ctx<'_>) -> Self {
        unreachable!("a checked scenario has locks only of a registry that has some")
    }

    fn never(&self) -> ! {
        match self.0 {
            Nobody::Is(never, _) => match never {},
        }
    }
}

impl<M, T> Locker for NoLocker<M, T> {
    type Msg = M;
    type Timer = T;

    fn lock(&mut self, _: &mut Ctx<'_>, _: u32) {
        self.never()
    }

    fn unlock(&mut self, _: &mut Ctx<'_>) {
        self.never()
    }

    fn is_idle(&self) -> bool {
        self.never()
    }

    fn on_message(&mut self, _: &mut Ctx<'_>, _: NodeId, _: &M) -> Option<Turn> {
        self.never()
    }

    fn on_timer(&mut self, _: &mut Ctx<'_>, _: T) -> Option<Turn> {
        self.never()
    }

    fn on_reset(&mut self, _: &mut Ctx<'_>, _: NodeId) -> Option<Turn> {
        self.never()
    }

    fn reconnect(&mut self, _: &mut Ctx<'_>) -> Option<Turn> {
        self.never()
    }

    fn member(&self) -> NodeId {
        self.never()
    }
}
