//! What a client's requests wait for, and how it stands.

use schism_core::Time;

use super::Client;
use super::discovery::Source;
use super::requests::Stage;
use crate::node::Attempt;
use crate::waits::Wait;

impl Client {
    /// What each of its requests waits for, and what its side of the registry does.
    pub fn waits(&self) -> Vec<Wait> {
        let requests = self.requests.open_ones().filter_map(|(slot, request)| {
            let task = format!("request {}", request.number);
            let wait = match request.stage {
                Stage::Over { .. } | Stage::Asking { .. } => return None,
                Stage::Resolving => Wait::new(task, "a list", self.source.peers()).since(request.since),
                Stage::Trying(endpoint) => Wait::new(task, "the reply", [endpoint.node]).since(request.sent),
                Stage::Locking => match &self.source {
                    Source::Locks(contender) => contender.wait_of(slot, task, request.since),
                    Source::Fixed(_) | Source::Registry { .. } | Source::Itself(_) => {
                        unreachable!("only who contends for locks waits for one")
                    }
                },
            };
            let until = self.patience_of(Attempt { slot, request: request.number });
            Some(match until {
                Some(until) => wait.until(until),
                None => wait,
            })
        });
        requests.chain(self.source.waits()).collect()
    }

    fn patience_of(&self, attempt: Attempt) -> Option<Time> {
        self.patience.iter().find(|(_, other)| *other == attempt).map(|&(until, _)| until)
    }

    /// How it stands, in a line.
    pub fn summary(&self) -> String {
        let open = self.requests.open_ones().count();
        let list = match &self.source {
            Source::Fixed(listing) => format!("a fixed list of {}", listing.endpoints.len()),
            Source::Registry { .. } => "a list of the registry's".to_owned(),
            Source::Itself(_) => "no list: it calls the registry itself".to_owned(),
            Source::Locks(contender) => contender.stands(),
        };
        let requests = if open == 1 { "1 open request".to_owned() } else { format!("{open} open requests") };
        format!("a client; {requests}; {list}")
    }
}

impl Source {
    /// What its side of the registry waits for.
    pub(super) fn waits(&self) -> Vec<Wait> {
        match self {
            Source::Fixed(_) => Vec::new(),
            Source::Registry { subscriber, .. } => subscriber.waits(),
            Source::Itself(caller) => caller.waits(),
            Source::Locks(contender) => contender.waits(),
        }
    }
}
