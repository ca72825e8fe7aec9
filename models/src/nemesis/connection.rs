//! Connections break, while every message of its own still gets through.

use schism_core::{Classes, Cut, Feel, Flows, NodeSet};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::{Direction, Ends, Link};
use super::{Condition, Lasting, Nature, Struck};

/// Connections break.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection<T = Target> {
    /// Whose.
    pub ends: Ends<T>,
    /// How.
    pub failure: Failure,
}

/// How connections break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// They are reset: both ends learn of it at once, and may connect anew.
    Reset,
    /// They stand, as both ends believe, and carry nothing: what is between them has forgotten them, such as a firewall
    /// or a load balancer whose table was lost. New ones work.
    HalfOpen,
    /// No new ones come about; those that are open work.
    ConnectHang(Answer),
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nobody answers: it is tried again until a timer ends it.
    Silence,
    /// It is refused at once.
    Refusal,
}

impl<T> Connection<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Connection<U>> {
        Some(Connection { ends: self.ends.aim(at)?, failure: self.failure })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ends.sides()
    }
}

impl<T> Nature for Connection<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn lasting(&self) -> Lasting {
        match self.failure {
            Failure::Reset => Lasting::Moment,
            Failure::HalfOpen | Failure::ConnectHang(_) => Lasting::Span,
        }
    }
}

impl Connection {
    /// `connections between orders and registry, half-open`.
    pub fn words(&self, names: &dyn Names) -> String {
        let failure = match self.failure {
            Failure::Reset => "reset",
            Failure::HalfOpen => "half-open",
            Failure::ConnectHang(Answer::Silence) => "new ones hang",
            Failure::ConnectHang(Answer::Refusal) => "new ones are refused",
        };
        format!("connections {}, {failure}", self.ends.words(names))
    }
}

impl Strike for Connection {
    fn begin(&self, hand: &mut Hand<'_>) {
        let (sides, link) = hand.finding(|finder| {
            let sides = self.ends.find(finder);
            let link = Link::whole(&sides, finder);
            (sides, link)
        });
        let directions = match self.failure {
            // A severed connection is gone in both directions.
            Failure::Reset => Direction::Forward,
            Failure::HalfOpen | Failure::ConnectHang(_) => Direction::Both,
        };
        for (from, to) in link.ways(directions) {
            let cut = |feel, flows| Cut {
                id: hand.id(),
                from: from.clone(),
                to: to.clone(),
                feel,
                classes: Classes::ALL,
                flows,
            };
            match self.failure {
                Failure::Reset => hand.sever(from, to),
                Failure::HalfOpen => hand.cut(cut(Feel::Silent, Flows::Existing)),
                Failure::ConnectHang(Answer::Silence) => hand.cut(cut(Feel::Silent, Flows::New)),
                Failure::ConnectHang(Answer::Refusal) => hand.cut(cut(Feel::Refused, Flows::New)),
            }
        }
        let sides = hand.named(sides.iter().map(NodeSet::iter));
        hand.strikes(Struck::Ways { sides });
    }
}
