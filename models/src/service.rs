//! Instances of a service: they register, keep their lease alive, and serve requests from slots and a queue.

use schism_core::Distribution;

/// One service: all its instances are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long one request is served.
    pub service: Distribution,
    /// Requests served at once; 0 is unlimited.
    pub slots: u32,
    /// Requests waiting at most, beyond those being served; `None` is unlimited.
    pub queue: Option<u32>,
    /// The weight that the instance registers with.
    pub weight: u32,
    /// Whether an instance registers anew when it learns that its lease is gone. The etcd client library does not do
    /// so by itself; applications do.
    pub re_register: ReRegister,
}

/// What an instance does when it learns that its lease is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReRegister {
    /// Asks for a new lease and writes its key again.
    Always,
    /// Stays invisible: what the bare client library does.
    Never,
}
