//! Registration: an instance's key in etcd, under a lease that is kept alive.

use std::net::SocketAddr;
use std::time::Duration;

use etcd_client::{Client, Error, PutOptions};
use tokio::time::sleep;

use crate::PREFIX;

/// How long etcd keeps a key whose owner is not heard of, in seconds.
const TTL: i64 = 10;
/// How often a lease is kept alive, as by etcd's own client: three times in its time to live.
const EVERY: Duration = Duration::from_millis(1_000 * TTL as u64 / 3);

/// What happens to a registration, for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The key is written.
    Registered,
    /// The lease lives on.
    Renewed,
    /// The lease is gone, and with it the key.
    Lost,
}

/// Registers an instance, and keeps its lease alive.
///
/// # Errors
///
/// If etcd does not answer, or the lease is gone.
async fn register(etcd: SocketAddr, name: &str, address: SocketAddr, tell: &impl Fn(Event)) -> Result<(), Error> {
    let client = Client::connect([etcd.to_string()], None).await?;
    let lease = client.lease_client().grant(TTL, None).await?.id();
    let under = PutOptions::new().with_lease(lease);
    client.kv_client().put(format!("{PREFIX}{name}"), address.to_string(), Some(under)).await?;
    tell(Event::Registered);
    let (mut keeper, mut answers) = client.lease_client().keep_alive(lease).await?;
    loop {
        sleep(EVERY).await;
        keeper.keep_alive().await?;
        answers.message().await?;
        tell(Event::Renewed);
    }
}

/// Registers an instance once: the bug. Once the lease is gone, it serves on, and nobody finds it.
pub async fn register_once(etcd: SocketAddr, name: String, address: SocketAddr, tell: impl Fn(Event)) {
    if register(etcd, &name, address, &tell).await.is_err() {
        tell(Event::Lost);
    }
}

/// Registers an instance, and registers it anew whenever its lease may be gone: the fix.
pub async fn stay_registered(etcd: SocketAddr, name: String, address: SocketAddr, tell: impl Fn(Event)) {
    loop {
        let _ = register(etcd, &name, address, &tell).await;
        tell(Event::Lost);
        sleep(Duration::from_secs(1)).await;
    }
}
