//! Changes: what operators do to processes that are well.

use schism_core::Duration;

/// A configuration that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pushed {
    /// An instance registers with this weight.
    Weight(u32),
    /// A client waits for an attempt no longer than this.
    Timeout(Duration),
}

/// What somebody else's process answers to requests that are not meant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answers {
    /// That it does not know what is asked.
    Error,
    /// Something that looks like success, and is wrong.
    Success,
}
