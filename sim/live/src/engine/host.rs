//! A node in madsim: the tasks of a host, whether a process runs on it or not.

use std::time::Duration;

use madsim::net::{Endpoint, Receiver};
use madsim::task::spawn_local;
use schism_core::{NodeId, Told};
use schism_models::node::Message;

use super::frame::{self, Frame};
use super::house::Shared;
use super::{exact, ip, lock, node_at};

/// The port of every node's socket.
const PORT: u16 = 1;

/// How many tasks of a node take what comes. madsim takes a millisecond for each (0.2.34, `sim/net/endpoint.rs`,
/// `recv_from_raw` awaits `rand_delay`), so this many messages per millisecond are not held up.
const RECEIVERS: usize = 32;

/// The time-out after which a connection is asked for again, which doubles, and how often: Linux's (RFC 6298, section 2.1,
/// and tcp_syn_retries), as in our own kernel. madsim itself refuses at once what a clog stops.
const SYN_TIMEOUT: Duration = Duration::from_secs(1);
const SYN_RETRIES: u32 = 6;

/// A host from its start on: it takes what is sent to it for as long as it lives.
pub(super) async fn live(house: Shared, node: NodeId) {
    let endpoint = Endpoint::bind((ip(node), PORT)).await.expect("a node's address is its own");
    for _ in 0..RECEIVERS {
        spawn_local(receive(house.clone(), node, endpoint.clone()));
    }
    lock(&house).move_in(node, endpoint.clone());
    loop {
        let Ok((sender, receiver, from)) = endpoint.accept1().await else { return };
        let peer = node_at(from.ip());
        if let Some(number) = lock(&house).accept(node, peer, sender) {
            spawn_local(read(house.clone(), node, peer, number, receiver));
        }
    }
}

async fn receive(house: Shared, node: NodeId, endpoint: Endpoint) {
    loop {
        let (from, frame) = frame::receive::<Message>(&endpoint).await;
        lock(&house).take(node, from, frame);
    }
}

/// Asks a peer for a connection, and reads what comes on it.
pub(super) async fn connect(house: Shared, node: NodeId, peer: NodeId, number: u64) {
    let mut slot = exact::elapsed();
    for turn in 0..=SYN_RETRIES {
        let Some(endpoint) = lock(&house).endpoint(node) else { return };
        if let Ok((sender, receiver)) = endpoint.connect1((ip(peer), PORT).into()).await {
            lock(&house).opened(node, peer, number, sender);
            return read(house, node, peer, number, receiver).await;
        }
        slot += SYN_TIMEOUT * (1 << turn);
        exact::until(slot).await;
        if !lock(&house).is_open(node, peer, number) {
            return;
        }
    }
    lock(&house).end(node, peer, number);
}

/// Reads a connection until it ends, or the process has dropped it.
async fn read(house: Shared, node: NodeId, peer: NodeId, number: u64, mut receiver: Receiver) {
    while let Some(frame) = frame::next::<Message>(&mut receiver).await {
        let mut house = lock(&house);
        match frame {
            Frame::Message(msg) if house.is_open(node, peer, number) => {
                house.tell(node, Told::Message { from: peer, msg });
            }
            Frame::Message(_) => return,
            Frame::Reset => return house.end(node, peer, number),
        }
    }
    // The peer has opened another instead.
    lock(&house).forget(node, peer, number);
}

/// Sends a datagram; what becomes of it nobody is told.
pub(super) async fn send<M: Send + Sync + 'static>(endpoint: Endpoint, to: NodeId, frame: Frame<M>) {
    let sent = endpoint.send_to_raw((ip(to), PORT).into(), frame::TAG, Box::new(frame)).await;
    sent.expect("an endpoint that is held sends");
}
