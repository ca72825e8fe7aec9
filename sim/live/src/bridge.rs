//! The bridge: what models tell a process whose code is the user's, until that has taken it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use schism_core::{NodeId, Time};
use schism_models::node::{Attempt, Reply};
use schism_models::observation::Observation;

/// The place of the attempts of users' code: a model has fewer at once.
pub(crate) const PLACE: u32 = u32::MAX;

/// The bridge of one life of a process, as both sides hold it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bridge(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The list that what looks for instances has now, and how many it has had.
    view: Option<BTreeSet<NodeId>>,
    views: u64,
    /// Requests of clients that wait to be taken.
    requests: VecDeque<Come>,
    /// Own attempts, by number: to whom, and what came of it.
    attempts: BTreeMap<u32, (NodeId, Option<Answer>)>,
    last: u32,
    /// The number of the next request.
    offered: u32,
    /// Who waits for any of this.
    waiting: Vec<Waker>,
}

/// A request that has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Come {
    pub(crate) from: NodeId,
    pub(crate) attempt: Attempt,
    pub(crate) at: Time,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This was answered.
    Reply(Reply),
    /// The host reset the connection.
    Reset,
}

impl Bridge {
    /// The bridge of a life that begins now: what still comes for an earlier one is not for this.
    pub(crate) fn new(now: Time) -> Bridge {
        let bridge = Bridge::default();
        let mut state = bridge.state();
        (state.last, state.offered) = (now.as_nanos() as u32, now.as_nanos() as u32);
        drop(state);
        bridge
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes who waits.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    // The models' side.

    /// What looks for instances has come to believe something.
    pub(crate) fn on_observed(&self, seen: &Observation) {
        self.change(|state| {
            if let Observation::View(listing) = seen {
                state.view = Some(listing.endpoints.iter().map(|endpoint| endpoint.node).collect());
            } else if let Observation::Blind(_) = seen {
                state.view = None;
            } else if let Observation::Believes { subject, up, .. } = seen {
                let view = state.view.get_or_insert_default();
                let _ = if *up { view.insert(*subject) } else { view.remove(subject) };
            } else {
                return;
            }
            state.views += 1;
        });
    }

    /// A client's request has come.
    pub(crate) fn on_request(&self, come: Come) {
        self.change(|state| state.requests.push_back(come));
    }

    /// An attempt was answered.
    pub(crate) fn on_reply(&self, from: NodeId, number: u32, reply: Reply) {
        self.change(|state| {
            if let Some((to, answer)) = state.attempts.get_mut(&number)
                && *to == from
            {
                answer.get_or_insert(Answer::Reply(reply));
            }
        });
    }

    /// A peer's host has reset the connection: what was sent there has failed.
    pub(crate) fn on_reset(&self, peer: NodeId) {
        self.change(|state| {
            let sent = state.attempts.values_mut().filter(|(to, _)| *to == peer);
            sent.for_each(|(_, answer)| {
                answer.get_or_insert(Answer::Reset);
            });
        });
    }

    /// Whom the host has to tell of the process's end.
    pub(crate) fn peers(&self) -> Vec<NodeId> {
        let state = self.state();
        let clients = state.requests.iter().map(|come| come.from);
        clients.chain(state.attempts.values().map(|(to, _)| *to)).collect()
    }

    // The user's side.

    /// The list of instances now, and its number.
    pub(crate) fn view(&self) -> (u64, Option<BTreeSet<NodeId>>) {
        let state = self.state();
        (state.views, state.view.clone())
    }

    /// Waits for another list than that of this number.
    pub(crate) fn poll_view(&self, seen: u64, context: &Context<'_>) -> Poll<()> {
        self.poll(context, |state| (state.views != seen).then_some(()))
    }

    /// Waits for a client's request.
    pub(crate) fn poll_request(&self, context: &Context<'_>) -> Poll<Come> {
        self.poll(context, |state| state.requests.pop_front())
    }

    /// The number of the next request that a client has to make.
    pub(crate) fn number(&self) -> u32 {
        let mut state = self.state();
        let number = state.offered;
        state.offered = number.wrapping_add(1);
        number
    }

    /// Begins an attempt: its number.
    pub(crate) fn begin(&self, to: NodeId) -> u32 {
        let mut state = self.state();
        state.last = state.last.wrapping_add(1);
        let number = state.last;
        state.attempts.insert(number, (to, None));
        number
    }

    /// Waits for what comes of an attempt.
    pub(crate) fn poll_answer(&self, number: u32, context: &Context<'_>) -> Poll<Answer> {
        self.poll(context, |state| state.attempts.get(&number).and_then(|(_, answer)| *answer))
    }

    /// An attempt is over, or given up.
    pub(crate) fn end(&self, number: u32) {
        self.state().attempts.remove(&number);
    }

    fn poll<T>(&self, context: &Context<'_>, take: impl FnOnce(&mut State) -> Option<T>) -> Poll<T> {
        let mut state = self.state();
        match take(&mut state) {
            Some(taken) => Poll::Ready(taken),
            None => {
                let waker = context.waker();
                if !state.waiting.iter().any(|other| other.will_wake(waker)) {
                    state.waiting.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }
}
