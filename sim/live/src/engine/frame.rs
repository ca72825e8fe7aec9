//! Frames: what nodes send each other, on connections or each on its own.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use madsim::net::{Endpoint, Receiver, Sender};

/// What one node's host sends to another's.
pub(super) enum Frame<M> {
    /// From a process to a process.
    Message(M),
    /// There is no such connection, or no more.
    Reset,
}

/// All datagrams have one tag: who reads them reads all.
pub(super) const TAG: u64 = 0;

/// Puts a frame on a connection; what the peer has closed carries nothing any more.
pub(super) fn put<M: Send + Sync + 'static>(sender: &Sender, frame: Frame<M>) {
    let mut sent = pin!(sender.send(Box::new(frame)));
    match sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(_) => {}
        Poll::Pending => unreachable!("madsim queues what is put on a connection at once"),
    }
}

/// The next frame of a connection, until it ends.
pub(super) async fn next<M: 'static>(receiver: &mut Receiver) -> Option<Frame<M>> {
    receiver.recv().await.ok().map(|payload| *payload.downcast().expect("nodes speak one language"))
}

/// The next datagram, and whose it is.
pub(super) async fn receive<M: 'static>(endpoint: &Endpoint) -> (schism_core::NodeId, Frame<M>) {
    let (payload, from) = endpoint.recv_from_raw(TAG).await.expect("an endpoint that is held receives");
    (super::node_at(from.ip()), *payload.downcast().expect("nodes speak one language"))
}
