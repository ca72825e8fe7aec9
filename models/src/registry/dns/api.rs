//! What DNS servers and resolvers tell each other, and remind themselves of.

use schism_core::{NodeId, ZoneId};

use super::answer::Answer;
use crate::listing::ServiceId;

/// A datagram.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// A question: for the records of a service's name.
    Query {
        /// The asker's number for it.
        number: u32,
        /// Of which service.
        service: ServiceId,
        /// Where the client is that wants to know: servers that prefer the near go by it, as by an EDNS client subnet (RFC
        /// 7871).
        zone: ZoneId,
    },
    /// The answer to it.
    Answer {
        /// The asker's number.
        number: u32,
        /// What is said.
        answer: Answer,
    },
    /// Whether a server is there.
    Check,
    /// It is.
    Checked,
}

impl Msg {
    /// How many bytes it has on the wire, without the headers of UDP and IP.
    pub fn size(&self) -> u64 {
        match self {
            // A header of 12 bytes, and a name of some 40 with its type and class.
            Msg::Query { .. } => 56,
            Msg::Answer { answer, .. } => answer.size(),
            // `. NS`, and the root's.
            Msg::Check => 17,
            Msg::Checked => 239,
        }
    }
}

/// What DNS servers and resolvers remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// A client's query of this number has not been answered in time.
    Unanswered(u32),
    /// A client looks up again, unless it has set another time since.
    LookUp(u32),
    /// A client has its outcome, which it did not get from a server now.
    Settle,
    /// A client may go back to addresses whose connections have failed.
    Forgive,
    /// A client looks up what a failpoint has put off.
    Late,
    /// A server's query of this number to an upstream has not been answered in time.
    Upstream(u32),
    /// A server checks an upstream again.
    CheckAgain(NodeId),
    /// An upstream's answer to a check is not there yet; the number of the check.
    Unchecked(NodeId, u32),
}
