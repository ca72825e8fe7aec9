//! Tracing: how the world tells a witness of each event, each deed and each loss, if it asks. All of it is compiled away
//! for who does not.

use super::looking::happening;
use super::{Event, World};
use crate::queue::Queue;
use crate::stream::StreamId;
use crate::{
    Actor, Cause, Deed, Doing, Finds, NodeId, Scene, Status, Swallowed, Taker, Then, Traced, Witness,
};

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    /// The event of this number in the queue happens.
    pub(super) fn tell_event(&mut self, number: u64, event: &Event<A>) {
        let origin = self.thread.origins.remove(&number).expect("each event that waits came of something");
        self.thread.now = Cause::Event(self.events);
        self.thread.origin = origin.cause;
        let Event { to, life, ref what } = *event;
        let pulse = self.pulses[to.index()];
        let finds = match pulse.status {
            Status::Paused if pulse.life == life && !what.is_for_the_host() => Finds::Still,
            Status::Paused | Status::Up if pulse.life == life => Finds::Running,
            Status::Paused | Status::Up | Status::Down => Finds::Gone,
        };
        let what = happening(&self.streams, what);
        let event =
            Traced { number: self.events, cause: origin.cause, via: origin.via, to, life, finds, what };
        let scene = Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
        self.witness.on_event(&scene, &event);
    }

    /// The driver does something.
    #[inline]
    pub(super) fn tell_deed(&mut self, what: Doing<'_, A>) {
        if W::TRACES {
            self.thread.deeds += 1;
            let number = self.thread.deeds;
            self.thread.now = Cause::Deed(number);
            self.thread.origin = Cause::Deed(number);
            let scene =
                Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
            self.witness.on_deed(&scene, &Deed { number, what });
        }
    }

    /// A message does not come through.
    #[inline]
    pub(super) fn swallow(
        &mut self,
        (from, to): (NodeId, NodeId),
        cause: Cause,
        msg: Option<&A::Msg>,
        by: Taker,
        then: Then,
    ) {
        if W::TRACES {
            let scene =
                Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
            self.witness.on_swallowed(&scene, &Swallowed { cause, from, to, msg, by, then });
        }
    }

    /// A segment that a stream has sent, or the answer to it, does not come through, with what waits first on it.
    #[inline]
    pub(super) fn swallow_of(&mut self, id: StreamId, by: Taker, then: Then) {
        if W::TRACES {
            let stream = self.streams.get(id);
            let ends = (stream.from, stream.to);
            let first = stream.stalled().and_then(|stall| stall.backlog.front().cloned());
            let cause = first.as_ref().map_or(self.thread.now, |first| first.cause);
            self.swallow(ends, cause, first.as_ref().map(|first| &first.msg), by, then);
        }
    }
}
