//! A shop: a gRPC service of which several instances run, registered in etcd under leases, and clients that balance over
//! those that they find there. It knows nothing of Schism; the tests have it play the parts of a scenario.

pub mod registration;
pub mod service;
pub mod web;

/// What somebody wants.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Order {
    /// What.
    #[prost(string, tag = "1")]
    pub item: String,
}

/// What they get.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Receipt {
    /// Which instance has taken the order.
    #[prost(string, tag = "1")]
    pub from: String,
}

/// The gRPC service that `build.rs` has made.
pub mod shop {
    tonic::include_proto!("shop.Orders");
}

/// Where instances are found in etcd: a key for each, whose value is its address.
pub const PREFIX: &str = "orders/";
