//! What a server has changed, so that its state of some time ago can be shown.

use std::sync::Arc;

use schism_core::{NodeId, Time};

use super::apps::{Action, Apps, Info, Item};
use crate::listing::ServiceId;

/// Every change, and what stood there before it.
#[derive(Clone, Debug, Default)]
pub struct History {
    changes: Vec<Past>,
    /// The last state that was asked for: how many changes it has, of how many there were.
    last: Option<(usize, usize, Arc<Apps>)>,
}

#[derive(Clone, Copy, Debug)]
struct Past {
    /// The true moment.
    at: Time,
    node: NodeId,
    service: ServiceId,
    before: Option<Info>,
}

impl History {
    /// What stood in an item's place has given way to it.
    pub fn note(&mut self, at: Time, before: Option<Info>, item: &Item) {
        let (node, service) = (item.info.endpoint.node, item.info.service);
        self.changes.push(Past { at, node, service, before });
    }

    /// The state at a moment, of the state as it is now.
    pub fn as_of(&mut self, moment: Time, now: &Arc<Apps>) -> Arc<Apps> {
        let (had, all) = (self.changes.partition_point(|past| past.at <= moment), self.changes.len());
        if had == all {
            return now.clone();
        }
        if let Some((of, among, apps)) = &self.last
            && (*of, *among) == (had, all)
        {
            return apps.clone();
        }
        let mut apps = Apps::clone(now);
        self.changes[had..].iter().rev().for_each(|past| past.undo(&mut apps));
        let apps = Arc::new(apps);
        self.last = Some((had, all, apps.clone()));
        apps
    }
}

impl Past {
    fn undo(&self, apps: &mut Apps) {
        let revision = apps.listing(self.service).revision;
        let item = match self.before {
            Some(info) => Item { action: Action::Added, info },
            None => return apps.remove(self.service, self.node, revision),
        };
        apps.make(&item, revision);
    }
}

#[cfg(test)]
mod tests {
    use schism_core::{Duration, ZoneId};

    use super::super::apps::Status;
    use super::super::table::Table;
    use super::*;
    use crate::listing::Endpoint;

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    fn info(node: u32) -> Info {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        Info { service: ServiceId(0), endpoint, status: Status::Up, dirty: Time::START }
    }

    #[test]
    fn the_state_at_a_moment_is_what_all_changes_until_then_have_made() {
        let (mut table, mut history) = (Table::new(1), History::default());
        for (seconds, node) in [(10, 1), (20, 2), (30, 3)] {
            let registered = table.register(info(node), at(seconds), Duration::from_secs(90), seconds);
            history.note(at(seconds), registered.before, &registered.item);
        }
        let cancelled = table.cancel(NodeId(1), 40).expect("it was there");
        history.note(at(40), Some(cancelled.info), &cancelled);
        let listed = |seconds: u64, history: &mut History| {
            let apps = history.as_of(at(seconds), table.apps());
            let nodes: Vec<u32> =
                apps.listing(ServiceId(0)).endpoints.iter().map(|endpoint| endpoint.node.0).collect();
            nodes
        };
        assert_eq!(listed(9, &mut history), []);
        assert_eq!(listed(20, &mut history), [1, 2]);
        assert_eq!(listed(39, &mut history), [1, 2, 3]);
        assert_eq!(listed(40, &mut history), [2, 3]);
        assert_eq!(listed(20, &mut history), [1, 2]);
    }
}
