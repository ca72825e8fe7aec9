//! A client's own list, as it makes it of the changes that it is told.

use std::sync::Arc;

use crate::listing::{Change, Listing};

/// What a client has made of a list that it was told, and of the changes since.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    listing: Arc<Listing>,
    accord: Accord,
}

/// Whether it is the registry's list of the same revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accord {
    /// It has missed nothing since it listed.
    Whole,
    /// It has missed something, and does not know.
    Astray,
}

impl Replica {
    /// The client was told the whole list.
    pub(crate) fn listed(listing: Arc<Listing>) -> Replica {
        Replica { listing, accord: Accord::Whole }
    }

    /// The list as the client has it.
    pub(crate) fn listing(&self) -> &Arc<Listing> {
        &self.listing
    }

    /// What is told from now on is of another list than it has.
    pub(crate) fn go_astray(&mut self) {
        self.accord = Accord::Astray;
    }

    /// Makes the changes, all of later revisions than one that it has `seen`. While nothing was missed they lead to the
    /// registry's `own` list, which is taken as it is.
    pub(crate) fn change(&mut self, fresh: &[Change], seen: u64, own: &Arc<Listing>) {
        let before = std::iter::once(seen).chain(fresh.iter().map(|change| change.revision));
        if fresh.iter().zip(before).any(|(change, before)| change.after > before) {
            self.go_astray();
        }
        match self.accord {
            Accord::Whole => self.listing = own.clone(),
            Accord::Astray => {
                let listing = Arc::make_mut(&mut self.listing);
                fresh.iter().for_each(|change| change.apply_to(listing));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use schism_core::{NodeId, ZoneId};

    use super::*;
    use crate::listing::{Endpoint, ServiceId};

    fn endpoint(node: u32) -> Endpoint {
        Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 }
    }

    fn listing(revision: u64, nodes: &[u32]) -> Arc<Listing> {
        let endpoints = nodes.iter().copied().map(endpoint).collect();
        Arc::new(Listing { service: ServiceId(0), revision, endpoints })
    }

    fn change(revision: u64, after: u64, node: u32, up: bool) -> Change {
        Change { revision, after, endpoint: endpoint(node), up }
    }

    fn nodes(replica: &Replica) -> Vec<u32> {
        replica.listing.endpoints.iter().map(|endpoint| endpoint.node.0).collect()
    }

    #[test]
    fn who_has_missed_nothing_takes_the_registrys_list() {
        let mut replica = Replica::listed(listing(3, &[1, 2]));
        let own = listing(7, &[1, 3]);
        replica.change(&[change(6, 3, 3, true), change(7, 6, 2, false)], 5, &own);
        assert!(Arc::ptr_eq(&replica.listing, &own));
    }

    #[test]
    fn who_has_missed_a_change_stays_astray_though_later_ones_come() {
        let mut replica = Replica::listed(listing(3, &[1, 2]));
        // At 4 the second was removed, and nobody said so.
        replica.change(&[change(5, 4, 3, true)], 3, &listing(5, &[1, 3]));
        assert_eq!(nodes(&replica), [1, 2, 3]);
        replica.change(&[change(6, 5, 4, true)], 5, &listing(6, &[1, 3, 4]));
        assert_eq!(nodes(&replica), [1, 2, 3, 4]);
        assert_eq!(replica.listing.revision, 6);
    }

    #[test]
    fn changes_of_another_list_are_made_in_the_first() {
        let mut replica = Replica::listed(listing(3, &[1, 2]));
        replica.go_astray();
        replica.change(&[change(4, 2, 5, true)], 3, &listing(4, &[5]));
        assert_eq!(nodes(&replica), [1, 2, 5]);
    }
}
