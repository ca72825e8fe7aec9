//! The register: who is in the registry, and healthy, read off the writes that its members tell of.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::NodeId;

use super::Cast;
use crate::observation::{Cause, Write};

/// Which instances the registry offers.
#[derive(Clone, Debug)]
pub struct Register {
    listed: Vec<bool>,
    /// The revision that was applied last by the member that is furthest.
    furthest: Option<u64>,
    /// Where members ask nobody first: what each of them has in its own table.
    tables: BTreeMap<NodeId, Table>,
    /// What was committed with the last observation.
    fresh: Vec<Write>,
    /// Whom the registry has ceased to offer with that, since it was not heard of in time.
    expired: Vec<NodeId>,
}

/// The table of one member.
#[derive(Clone, Debug, Default)]
struct Table {
    listed: BTreeSet<NodeId>,
    /// Of those, the ones that are not healthy.
    failing: BTreeSet<NodeId>,
}

/// What members make of an instance, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Absent,
    Failing,
    Offered,
}

impl Register {
    /// Before the first write.
    pub fn new(cast: &Cast) -> Register {
        let nodes = (0..cast.nodes() as u32).map(NodeId);
        let listed = nodes.map(|node| cast.is_listed_at_first(node)).collect();
        Register { listed, furthest: None, tables: BTreeMap::new(), fresh: Vec::new(), expired: Vec::new() }
    }

    /// Whether a node is registered and healthy. Members always are, and so is everyone where nobody registers.
    #[inline]
    pub fn lists(&self, node: NodeId) -> bool {
        self.listed[node.index()]
    }

    /// What the last observation or fault has changed: nothing if a member only repeated what another had done.
    pub fn fresh(&self) -> &[Write] {
        &self.fresh
    }

    /// Whom the registry has ceased to offer with that, since it was not heard of in time: its lease ran out, or it no
    /// longer counts as healthy.
    pub fn expired(&self) -> &[NodeId] {
        &self.expired
    }

    /// A member has applied a write. Revisions grow from one to the next, so one that is not new is a repetition.
    pub(super) fn on_committed(&mut self, at: u64, write: Write) {
        let repeated = self.furthest.is_some_and(|furthest| at <= furthest);
        if repeated {
            return;
        }
        self.furthest = Some(at);
        self.take(write);
    }

    /// A member has written to its own table: that counts if it changes what the members make of the instance together.
    pub(super) fn on_wrote(&mut self, by: NodeId, write: Write) {
        match write {
            Write::Register(node) => self.change(by, node, Cause::Revoked, |table| {
                table.failing.remove(&node);
                table.listed.insert(node);
            }),
            Write::Remove(node, cause) => self.change(by, node, cause, |table| {
                table.failing.remove(&node);
                table.listed.remove(&node);
            }),
            Write::Fail(node) => self.change(by, node, Cause::Lost, |table| {
                table.failing.insert(node);
            }),
            Write::Recover(node) => self.change(by, node, Cause::Lost, |table| {
                table.failing.remove(&node);
            }),
            Write::Grant | Write::Revoke(_) | Write::Put | Write::Claim { .. } | Write::Release { .. } => {
                self.take(write);
            }
        }
    }

    /// A process has died, and with it the table that it had, if it was a member of that kind.
    pub(super) fn on_crash(&mut self, node: NodeId) {
        let Some(table) = self.tables.remove(&node) else { return };
        self.tables.insert(node, table.clone());
        for instance in table.listed {
            self.on_wrote(node, Write::Remove(instance, Cause::Lost));
        }
        self.tables.remove(&node);
    }

    pub(super) fn settle(&mut self) {
        self.fresh.clear();
        self.expired.clear();
    }

    fn change(&mut self, by: NodeId, node: NodeId, cause: Cause, make: impl FnOnce(&mut Table)) {
        let before = self.standing(node);
        make(self.tables.entry(by).or_default());
        match (before, self.standing(node)) {
            (Standing::Absent, Standing::Offered) => self.take(Write::Register(node)),
            (Standing::Absent, Standing::Failing) => {
                self.take(Write::Register(node));
                self.take(Write::Fail(node));
            }
            (Standing::Failing | Standing::Offered, Standing::Absent) => {
                self.take(Write::Remove(node, cause));
            }
            (Standing::Failing, Standing::Offered) => self.take(Write::Recover(node)),
            (Standing::Offered, Standing::Failing) => self.take(Write::Fail(node)),
            (Standing::Absent, Standing::Absent)
            | (Standing::Failing, Standing::Failing)
            | (Standing::Offered, Standing::Offered) => {}
        }
    }

    /// Offered if any member offers it, absent if none lists it.
    fn standing(&self, node: NodeId) -> Standing {
        let mut listed = self.tables.values().filter(|table| table.listed.contains(&node)).peekable();
        if listed.peek().is_none() {
            return Standing::Absent;
        }
        let offered = listed.any(|table| !table.failing.contains(&node));
        if offered { Standing::Offered } else { Standing::Failing }
    }

    fn take(&mut self, write: Write) {
        if let Write::Remove(node, Cause::Expired) | Write::Fail(node) = write
            && self.listed[node.index()]
        {
            self.expired.push(node);
        }
        match write {
            Write::Register(node) | Write::Recover(node) => self.listed[node.index()] = true,
            Write::Remove(node, _) | Write::Fail(node) => self.listed[node.index()] = false,
            Write::Grant | Write::Revoke(_) | Write::Put | Write::Claim { .. } | Write::Release { .. } => {}
        }
        self.fresh.push(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: NodeId = NodeId(2);

    fn register() -> Register {
        Register::new(&Cast::new(2, &[1], &[]))
    }

    fn says(register: &mut Register, by: u32, write: Write) -> Vec<Write> {
        register.settle();
        register.on_wrote(NodeId(by), write);
        register.fresh().to_vec()
    }

    #[test]
    fn an_instance_is_registered_while_any_member_lists_it() {
        let mut register = register();
        assert_eq!(says(&mut register, 0, Write::Register(ORDER)), [Write::Register(ORDER)]);
        assert_eq!(says(&mut register, 1, Write::Register(ORDER)), []);
        assert_eq!(says(&mut register, 0, Write::Remove(ORDER, Cause::Expired)), []);
        assert!(register.lists(ORDER));
        let gone = Write::Remove(ORDER, Cause::Expired);
        assert_eq!(says(&mut register, 1, gone), [gone]);
        assert!(!register.lists(ORDER));
    }

    #[test]
    fn one_member_that_holds_it_healthy_is_enough() {
        let mut register = register();
        says(&mut register, 0, Write::Register(ORDER));
        says(&mut register, 1, Write::Register(ORDER));
        assert_eq!(says(&mut register, 0, Write::Fail(ORDER)), []);
        assert_eq!(says(&mut register, 1, Write::Fail(ORDER)), [Write::Fail(ORDER)]);
        assert_eq!(says(&mut register, 0, Write::Recover(ORDER)), [Write::Recover(ORDER)]);
    }

    #[test]
    fn the_table_of_a_member_that_dies_goes_with_it() {
        let mut register = register();
        says(&mut register, 0, Write::Register(ORDER));
        register.settle();
        register.on_crash(NodeId(0));
        assert_eq!(register.fresh(), [Write::Remove(ORDER, Cause::Lost)]);
        register.settle();
        register.on_crash(NodeId(0));
        assert_eq!(register.fresh(), []);
    }
}
