//! The client: it finds instances in etcd, and calls them in turn.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::{Client, Error, GetOptions};
use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use crate::shop::orders_client::OrdersClient;
use crate::{Order, PREFIX, Receipt};

/// How often etcd is asked who is there. (Its stand-in has no watch.)
const EVERY: Duration = Duration::from_secs(1);

/// A client's list of instances, each with a channel, and whose turn it is.
#[derive(Default)]
pub struct Balancer {
    instances: Mutex<BTreeMap<String, OrdersClient<Channel>>>,
    turn: AtomicUsize,
}

/// How an order has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It was not answered in time.
    Late,
    /// The instance could not be reached.
    Unreachable,
    /// The instance has refused it.
    Refused,
}

impl Balancer {
    /// Keeps the list current, and tells whenever it has been read.
    pub async fn follow(&self, etcd: SocketAddr, tell: impl Fn(Vec<String>)) {
        loop {
            if let Ok(Ok(found)) = timeout(EVERY, list(etcd)).await {
                tell(found.keys().cloned().collect());
                self.take(found);
            }
            sleep(EVERY).await;
        }
    }

    fn take(&self, mut found: BTreeMap<String, String>) {
        let mut instances = self.instances.lock().expect("nobody panics while it is held");
        instances.retain(|name, _| found.remove(name).is_some());
        for (name, address) in found {
            if let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) {
                instances.insert(name, OrdersClient::new(endpoint.connect_lazy()));
            }
        }
    }

    /// Whose turn it is, if anybody is there.
    pub fn pick(&self) -> Option<(String, OrdersClient<Channel>)> {
        let instances = self.instances.lock().expect("nobody panics while it is held");
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (name, client) = instances.iter().nth(turn % instances.len().max(1))?;
        Some((name.clone(), client.clone()))
    }
}

/// The names and addresses that etcd has.
///
/// # Errors
///
/// If it does not answer.
pub async fn list(etcd: SocketAddr) -> Result<BTreeMap<String, String>, Error> {
    let client = Client::connect([etcd.to_string()], None).await?;
    let found = client.kv_client().get(PREFIX, Some(GetOptions::new().with_prefix())).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = |key: &[u8]| text(key).trim_start_matches(PREFIX).to_owned();
    Ok(found.kvs().iter().map(|kv| (name(kv.key()), text(kv.value()))).collect())
}

/// Places an order with an instance, and waits for it no longer than this.
///
/// # Errors
///
/// How it has failed.
pub async fn order(mut from: OrdersClient<Channel>, within: Duration) -> Result<Receipt, Failed> {
    let order = Request::new(Order { item: "a book".to_owned() });
    match timeout(within, from.place(order)).await {
        Ok(Ok(receipt)) => Ok(receipt.into_inner()),
        Ok(Err(status)) if status.code() == Code::Unavailable || status.code() == Code::Unknown => {
            Err(Failed::Unreachable)
        }
        Ok(Err(_)) => Err(Failed::Refused),
        Err(_) => Err(Failed::Late),
    }
}
