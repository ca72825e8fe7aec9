//! The parts: how the shop plays those of a scenario, and what it says of itself there.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::SimServer;
use live_tonic::registration::Event;
use live_tonic::service::serve;
use live_tonic::web::{Balancer, Failed, list, order};
use schism_live::{Client, Instance, Member, Outcome};
use tokio::time::sleep;

type Error = Box<dyn std::error::Error + Send + Sync>;

const ETCD: u16 = 2379;
const ORDERS: u16 = 50_051;

/// madsim's stand-in for etcd. It tells nobody what it holds, so a task beside it looks.
pub async fn registry(me: Member) -> Result<(), Error> {
    let (etcd, looks) = (me.at(ETCD), me.clone());
    tokio::spawn(async move {
        loop {
            if let Ok(found) = list(etcd).await {
                looks.holds("orders", found.keys());
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    Ok(SimServer::builder().serve(etcd).await?)
}

/// An instance that keeps itself registered in this way.
pub async fn orders<R>(me: Instance, register: fn(SocketAddr, String, SocketAddr, Tell) -> R) -> Result<(), Error>
where
    R: Future<Output = ()> + Send + 'static,
{
    let (etcd, address, tells) = (me.members()[0].at(ETCD), me.at(ORDERS), me.clone());
    let tell: Tell = Box::new(move |event| match event {
        Event::Registered => tells.registered(),
        Event::Renewed => tells.renewed(),
        Event::Lost => tells.lease_lost(),
    });
    tokio::spawn(register(etcd, me.name().to_owned(), address, tell));
    let name = me.name().to_owned();
    serve(name, address, move || {
        let me = me.clone();
        async move {
            let serving = me.serving();
            sleep(me.work()).await;
            serving.done();
        }
    })
    .await?;
    Ok(())
}

/// How an instance is told what happens to its registration.
pub type Tell = Box<dyn Fn(Event) + Send + Sync>;

/// A client that orders whenever the scenario has it do so.
pub async fn web(me: Client) {
    let balancer = Arc::new(Balancer::default());
    let (etcd, follows, sees) = (me.members()[0].at(ETCD), balancer.clone(), me.clone());
    tokio::spawn(async move { follows.follow(etcd, |names| sees.sees("orders", names)).await });
    let mut arrivals = me.arrivals();
    loop {
        arrivals.next().await;
        let (request, within) = (me.offered(), me.timeout());
        let Some((name, instance)) = balancer.pick() else {
            request.done(Outcome::NoEndpoint);
            continue;
        };
        request.attempt(&name);
        tokio::spawn(async move {
            request.done(match order(instance, within).await {
                Ok(_) => Outcome::Success,
                Err(Failed::Late) => Outcome::Timeout,
                Err(Failed::Unreachable) => Outcome::Connect,
                Err(Failed::Refused) => Outcome::Failed,
            });
        });
    }
}
