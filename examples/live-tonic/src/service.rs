//! The service: it takes orders.

use std::future::Future;
use std::net::SocketAddr;

use tonic::transport::{Error, Server};
use tonic::{Request, Response, Status, async_trait};

use crate::shop::orders_server::{Orders, OrdersServer};
use crate::{Order, Receipt};

/// One instance. What an order takes is up to `work`.
struct Shop<W> {
    name: String,
    work: W,
}

#[async_trait]
impl<W, R> Orders for Shop<W>
where
    W: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    async fn place(&self, _: Request<Order>) -> Result<Response<Receipt>, Status> {
        (self.work)().await;
        Ok(Response::new(Receipt { from: self.name.clone() }))
    }
}

/// Serves orders at an address until the process ends.
///
/// # Errors
///
/// If the address cannot be had.
pub async fn serve<W, R>(name: String, address: SocketAddr, work: W) -> Result<(), Error>
where
    W: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    Server::builder().add_service(OrdersServer::new(Shop { name, work })).serve(address).await
}
