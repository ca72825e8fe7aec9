//! Kubernetes: API servers over etcd, controllers, kubelets that probe, and kube-proxies that follow slices.

pub mod backoff;
pub mod elector;
pub mod lifecycle;
pub mod probe;
pub mod runner;
pub mod slices;
pub mod workqueue;
