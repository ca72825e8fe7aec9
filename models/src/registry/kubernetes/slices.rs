//! EndpointSlices: a service's endpoints in objects of at most a hundred, and what of them is written anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::NodeId;

use crate::listing::Endpoint;

/// How many endpoints one slice holds at most: 100 (`--max-endpoints-per-slice`, kube-controller-manager, v1.28).
pub const MOST: usize = 100;

/// One endpoint of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Placed {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How it is.
    pub condition: Condition,
}

/// How an endpoint is (discovery/v1, `EndpointConditions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// It takes requests.
    Ready,
    /// It does not.
    NotReady,
    /// Its pod is being deleted: it is not ready, and serves on if its probe still passes.
    Terminating(Serving),
}

/// Whether an endpoint that ends still answers its readiness probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serving {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// One slice: its endpoints, by node.
pub type Slice = Arc<[Placed]>;

/// What a slice is to be from now on; nothing, if it is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number within the service.
    pub number: u32,
    /// Its endpoints.
    pub slice: Option<Slice>,
}

/// Which slices to write so that they hold what is desired: those with endpoints to take out or to change first, then
/// new endpoints in the fullest of these, and then in one that has room for all the rest, or in new slices
/// (staging/src/k8s.io/endpointslice/reconciler.go, v1.28, `reconcileByPortMapping`).
pub fn reconcile(slices: &BTreeMap<u32, Slice>, mut desired: BTreeMap<NodeId, Placed>) -> Vec<Change> {
    let mut changed: Vec<(u32, Vec<Placed>)> = Vec::new();
    let mut whole: Vec<(u32, usize)> = Vec::new();
    for (&number, slice) in slices {
        let kept: Vec<Placed> =
            slice.iter().filter_map(|placed| desired.remove(&placed.endpoint.node)).collect();
        if kept.as_slice() == slice.as_ref() {
            whole.push((number, slice.len()));
        } else {
            changed.push((number, kept));
        }
    }
    let mut rest: Vec<Placed> = desired.into_values().collect();
    rest.reverse();
    // Emptied slices are deleted, unless what is new fills them.
    changed.sort_by_key(|(number, kept)| (std::cmp::Reverse(kept.len()), *number));
    for (_, kept) in changed.iter_mut().filter(|(_, kept)| !kept.is_empty()) {
        fill(kept, &mut rest);
    }
    let mut next = slices.keys().next_back().map_or(0, |last| last + 1);
    while !rest.is_empty() {
        let room =
            whole.iter().filter(|(_, len)| len + rest.len() <= MOST).max_by_key(|(_, len)| *len).copied();
        let (number, mut kept) = match room {
            Some((number, _)) => (number, slices[&number].to_vec()),
            None => (next, Vec::new()),
        };
        next += u32::from(room.is_none());
        fill(&mut kept, &mut rest);
        changed.push((number, kept));
    }
    changed.sort_by_key(|(number, _)| *number);
    changed.into_iter().map(|(number, kept)| Change { number, slice: finish(kept) }).collect()
}

fn fill(kept: &mut Vec<Placed>, rest: &mut Vec<Placed>) {
    while kept.len() < MOST
        && let Some(placed) = rest.pop()
    {
        kept.push(placed);
    }
}

fn finish(mut kept: Vec<Placed>) -> Option<Slice> {
    kept.sort_by_key(|placed| placed.endpoint.node);
    (!kept.is_empty()).then(|| kept.into())
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;

    fn placed(node: u32, condition: Condition) -> Placed {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        Placed { endpoint, condition }
    }

    fn desired(nodes: impl IntoIterator<Item = u32>) -> BTreeMap<NodeId, Placed> {
        nodes.into_iter().map(|node| (NodeId(node), placed(node, Condition::Ready))).collect()
    }

    fn make(slices: &mut BTreeMap<u32, Slice>, changes: Vec<Change>) -> Vec<(u32, usize)> {
        changes
            .into_iter()
            .map(|Change { number, slice }| {
                let len = slice.as_ref().map_or(0, |slice| slice.len());
                match slice {
                    Some(slice) => slices.insert(number, slice),
                    None => slices.remove(&number),
                };
                (number, len)
            })
            .collect()
    }

    #[test]
    fn the_hundred_and_first_endpoint_needs_a_second_slice() {
        let mut slices = BTreeMap::new();
        let changes = reconcile(&slices, desired(0..100));
        assert_eq!(make(&mut slices, changes), [(0, 100)]);
        let changes = reconcile(&slices, desired(0..101));
        assert_eq!(make(&mut slices, changes), [(1, 1)]);
    }

    #[test]
    fn a_change_writes_only_its_own_slice() {
        let mut slices = BTreeMap::new();
        let changes = reconcile(&slices, desired(0..250));
        assert_eq!(make(&mut slices, changes), [(0, 100), (1, 100), (2, 50)]);
        let mut other = desired(0..250);
        other.insert(NodeId(7), placed(7, Condition::NotReady));
        let changes = reconcile(&slices, other);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].number, 0);
    }

    #[test]
    fn what_leaves_makes_room_for_what_comes() {
        let mut slices = BTreeMap::new();
        let changes = reconcile(&slices, desired(0..250));
        make(&mut slices, changes);
        // One leaves the first slice and two come: one fills it, and the other goes where there is room.
        let changes = reconcile(&slices, desired((1..250).chain(300..302)));
        assert_eq!(make(&mut slices, changes), [(0, 100), (2, 51)]);
    }

    #[test]
    fn an_empty_slice_is_deleted_and_nothing_to_do_is_nothing() {
        let mut slices = BTreeMap::new();
        let changes = reconcile(&slices, desired(0..101));
        make(&mut slices, changes);
        let changes = reconcile(&slices, desired(0..100));
        assert_eq!(changes, [Change { number: 1, slice: None }]);
        make(&mut slices, changes);
        assert_eq!(reconcile(&slices, desired(0..100)), []);
    }
}
