//! The data tree: sessions, the ephemeral nodes that belong to them, and the children of each service's parent.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::line::{Lines, Stander};
use super::zxid::Zxid;
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Write};
use crate::registry::Pair;

/// A session's number. The server that made it is in its upper byte (server/SessionTrackerImpl.java,
/// `initializeNextSessionId`, 3.8.0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// One transaction: what the leader has made of a request, so that applying it cannot fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Txn {
    /// A session begins.
    CreateSession {
        /// Its number.
        session: SessionId,
        /// Its negotiated time-out.
        timeout: Duration,
    },
    /// A session ends, and its ephemeral nodes go with it.
    CloseSession {
        /// Its number.
        session: SessionId,
        /// Why.
        cause: Cause,
    },
    /// An instance's ephemeral node is created under its service's parent.
    Create {
        /// The service.
        service: ServiceId,
        /// The node's data.
        endpoint: Endpoint,
        /// The session that it belongs to.
        session: SessionId,
    },
    /// An instance's node gets other data.
    SetData {
        /// The data.
        endpoint: Endpoint,
    },
    /// An instance's node is deleted.
    Delete {
        /// The instance.
        node: NodeId,
        /// By whom.
        cause: Cause,
    },
    /// Some other node is written; nobody else's, if it has no number.
    Put(Option<Pair>),
    /// A sequential ephemeral node is created under a lock's parent.
    Stand {
        /// The lock.
        lock: u32,
        /// The session that it belongs to.
        session: SessionId,
        /// Whose that is, for the witnesses alone.
        by: NodeId,
    },
    /// It is deleted.
    Step {
        /// The lock.
        lock: u32,
        /// The node's number.
        number: u32,
    },
    /// A request that fails. That, too, is agreed upon (`OpCode.error`, server/PrepRequestProcessor.java, 3.8.0).
    Error(Refusal),
    /// The tree is what it was after an earlier transaction, as a backup that was taken then has it.
    Restore {
        /// The number of that transaction.
        zxid: Zxid,
    },
}

/// Why the leader refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is such a node already.
    NodeExists,
    /// There is no such node.
    NoNode,
    /// The session is over.
    SessionExpired,
}

/// What applying a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A write that no list shows.
    Wrote(Write),
    /// A change of a service's list.
    Listed(Write, ServiceId, Change),
    /// Nodes under locks' parents are gone.
    Stepped(Vec<Stander>, Cause),
    /// Nothing.
    Nothing,
    /// The state is another's: as if these writes had been made at once.
    Restored(Vec<Write>),
}

/// One change of a service's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The instance.
    pub endpoint: Endpoint,
    /// Whether it is there now.
    pub up: bool,
}

/// Sessions, nodes and lists as of a transaction.
#[derive(Clone, Debug)]
pub struct Tree {
    zxid: Zxid,
    /// How many writes there have been that the witnesses are told of.
    writes: u64,
    sessions: BTreeMap<SessionId, Session>,
    znodes: BTreeMap<NodeId, Znode>,
    lines: Lines,
    lists: Vec<Arc<Listing>>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    timeout: Duration,
    /// The ephemeral node that belongs to it: a session here is that of one instance, or of a client without any.
    owns: Option<NodeId>,
}

/// An instance's node.
#[derive(Clone, Copy, Debug)]
pub struct Znode {
    /// The instance's service.
    pub service: ServiceId,
    /// The data.
    pub endpoint: Endpoint,
    /// The session that it belongs to.
    pub owner: SessionId,
}

impl Tree {
    /// An empty tree with a parent for each of so many services.
    pub fn new(services: u16) -> Tree {
        let list = |number| Listing { service: ServiceId(number), revision: 0, endpoints: Vec::new() };
        Tree {
            zxid: Zxid::ZERO,
            writes: 0,
            sessions: BTreeMap::new(),
            znodes: BTreeMap::new(),
            lines: Lines::default(),
            lists: (0..services).map(|number| Arc::new(list(number))).collect(),
        }
    }

    /// The last transaction that was applied.
    pub fn zxid(&self) -> Zxid {
        self.zxid
    }

    /// How many writes there have been that the witnesses are told of: the number of the last.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The lines for locks, and the nodes that clients share.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// All sessions with their time-outs.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, Duration)> + '_ {
        self.sessions.iter().map(|(&id, session)| (id, session.timeout))
    }

    /// A session's time-out, if there is such a session.
    pub fn timeout(&self, session: SessionId) -> Option<Duration> {
        self.sessions.get(&session).map(|session| session.timeout)
    }

    /// The node that belongs to a session, if one does.
    pub fn owned(&self, session: SessionId) -> Option<NodeId> {
        self.sessions.get(&session).and_then(|session| session.owns)
    }

    /// An instance's node, if it has one.
    pub fn znode(&self, node: NodeId) -> Option<&Znode> {
        self.znodes.get(&node)
    }

    /// The children of a service's parent. Its revision is the transaction that changed it last, as `pzxid` is.
    pub fn list(&self, service: ServiceId) -> &Arc<Listing> {
        &self.lists[service.0 as usize]
    }

    /// The children of every service's parent.
    pub fn lists(&self) -> impl Iterator<Item = &Arc<Listing>> {
        self.lists.iter()
    }

    /// Does what a transaction says. `backup` gives the tree as it was after an earlier one.
    pub fn apply(&mut self, zxid: Zxid, txn: &Txn, backup: impl FnOnce(Zxid) -> Tree) -> Effect {
        assert!(zxid > self.zxid, "transactions are applied in order: {zxid:?} after {:?}", self.zxid);
        self.zxid = zxid;
        let effect = match *txn {
            Txn::CreateSession { session, timeout } => {
                self.sessions.insert(session, Session { timeout, owns: None });
                Effect::Wrote(Write::Grant)
            }
            Txn::CloseSession { session, cause } => self.close(session, cause),
            Txn::Create { service, endpoint, session } => self.create(service, endpoint, session),
            Txn::SetData { endpoint } => self.set_data(endpoint),
            Txn::Delete { node, cause } => self.delete(node, cause),
            Txn::Put(pair) => {
                pair.into_iter().for_each(|pair| self.lines.put(zxid, pair));
                Effect::Wrote(Write::Put)
            }
            Txn::Stand { lock, session, by } => Effect::Wrote(self.lines.stand(lock, session, by)),
            Txn::Step { lock, number } => {
                self.step(Cause::Revoked, |stander| (stander.lock, stander.number) == (lock, number))
            }
            Txn::Error(_) => Effect::Nothing,
            Txn::Restore { zxid } => self.restore(backup(zxid)),
        };
        self.writes += match &effect {
            Effect::Wrote(_) | Effect::Listed(..) => 1,
            Effect::Stepped(standers, _) => standers.len() as u64,
            Effect::Restored(writes) => writes.len() as u64,
            Effect::Nothing => 0,
        };
        effect
    }

    fn close(&mut self, session: SessionId, cause: Cause) -> Effect {
        let Some(Session { owns, .. }) = self.sessions.remove(&session) else { return Effect::Nothing };
        match owns {
            Some(node) => self.delete(node, cause),
            None => {
                let stepped = self.step(cause, |stander| stander.session == session);
                let is_bare = matches!(stepped, Effect::Nothing);
                if is_bare { Effect::Wrote(Write::Revoke(cause)) } else { stepped }
            }
        }
    }

    fn step(&mut self, cause: Cause, is: impl Fn(&Stander) -> bool) -> Effect {
        let stepped = self.lines.remove(is);
        if stepped.is_empty() { Effect::Nothing } else { Effect::Stepped(stepped, cause) }
    }

    fn create(&mut self, service: ServiceId, endpoint: Endpoint, session: SessionId) -> Effect {
        let Some(owner) = self.sessions.get_mut(&session) else { return Effect::Nothing };
        owner.owns = Some(endpoint.node);
        self.znodes.insert(endpoint.node, Znode { service, endpoint, owner: session });
        self.change(Write::Register(endpoint.node), service, Change { endpoint, up: true })
    }

    fn set_data(&mut self, endpoint: Endpoint) -> Effect {
        let Some(znode) = self.znodes.get_mut(&endpoint.node) else { return Effect::Nothing };
        znode.endpoint = endpoint;
        let service = znode.service;
        self.change(Write::Register(endpoint.node), service, Change { endpoint, up: true })
    }

    fn delete(&mut self, node: NodeId, cause: Cause) -> Effect {
        let Some(Znode { service, endpoint, owner }) = self.znodes.remove(&node) else {
            return Effect::Nothing;
        };
        if let Some(session) = self.sessions.get_mut(&owner) {
            session.owns = None;
        }
        self.change(Write::Remove(node, cause), service, Change { endpoint, up: false })
    }

    /// The servers are stopped, given the backup's data directory, and started. Numbers go on from where they were, so
    /// that no client is refused for having seen a later one.
    fn restore(&mut self, backup: Tree) -> Effect {
        let lost = self.znodes.keys().filter(|node| !backup.znodes.contains_key(node));
        let back = backup.znodes.keys().filter(|node| !self.znodes.contains_key(node));
        let lost = lost.map(|&node| Write::Remove(node, Cause::Lost));
        let back = back.map(|&node| Write::Register(node));
        let writes = lost.chain(back).chain(self.lines.lost_to(&backup.lines)).collect();
        *self = Tree { zxid: self.zxid, writes: self.writes, ..backup };
        for list in &mut self.lists {
            Arc::make_mut(list).revision = self.zxid.revision();
        }
        Effect::Restored(writes)
    }

    fn change(&mut self, write: Write, service: ServiceId, change: Change) -> Effect {
        let list = Arc::make_mut(&mut self.lists[service.0 as usize]);
        if change.up {
            list.insert(change.endpoint);
        } else {
            list.remove(change.endpoint.node);
        }
        list.revision = self.zxid.revision();
        Effect::Listed(write, service, change)
    }
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;

    const SERVICE: ServiceId = ServiceId(0);
    const OLD: SessionId = SessionId(1);
    const NEW: SessionId = SessionId(2);

    fn endpoint(weight: u32) -> Endpoint {
        Endpoint { node: NodeId(7), ordinal: 0, zone: ZoneId(0), weight }
    }

    fn tree(txns: &[Txn]) -> (Tree, Vec<Effect>) {
        let mut tree = Tree::new(1);
        let mut zxid = Zxid::new(1, 0);
        let mut effects = Vec::new();
        for txn in txns {
            zxid = zxid.next();
            effects.push(tree.apply(zxid, txn, |_| unreachable!("nothing is restored")));
        }
        (tree, effects)
    }

    fn opened(session: SessionId) -> Txn {
        Txn::CreateSession { session, timeout: Duration::from_secs(10) }
    }

    fn closed(session: SessionId) -> Txn {
        Txn::CloseSession { session, cause: Cause::Expired }
    }

    fn created(session: SessionId) -> Txn {
        Txn::Create { service: SERVICE, endpoint: endpoint(1), session }
    }

    #[test]
    fn a_nodes_end_is_that_of_its_session() {
        let (tree, effects) = tree(&[opened(OLD), created(OLD), closed(OLD)]);
        let gone = Write::Remove(NodeId(7), Cause::Expired);
        assert!(
            matches!(effects[2], Effect::Listed(write, SERVICE, Change { up: false, .. }) if write == gone)
        );
        assert_eq!((tree.list(SERVICE).endpoints.len(), tree.writes()), (0, 3));
    }

    #[test]
    fn a_session_without_a_node_leaves_the_lists_alone() {
        let (tree, effects) = tree(&[opened(OLD), created(OLD), opened(NEW), closed(NEW)]);
        assert_eq!(effects[3], Effect::Wrote(Write::Revoke(Cause::Expired)));
        assert_eq!(tree.list(SERVICE).revision, Zxid::new(1, 2).revision());
    }

    #[test]
    fn the_end_of_an_old_session_does_not_take_what_was_deleted_and_created_anew() {
        let delete = Txn::Delete { node: NodeId(7), cause: Cause::Revoked };
        let (tree, _) = tree(&[opened(OLD), created(OLD), opened(NEW), delete, created(NEW), closed(OLD)]);
        assert_eq!(tree.znode(NodeId(7)).map(|znode| znode.owner), Some(NEW));
        assert!(tree.list(SERVICE).lists(NodeId(7)));
    }

    #[test]
    fn other_data_is_a_change_of_the_list() {
        let (tree, _) = tree(&[opened(OLD), created(OLD), Txn::SetData { endpoint: endpoint(5) }]);
        assert_eq!(tree.list(SERVICE).endpoints[0].weight, 5);
        assert_eq!(tree.list(SERVICE).revision, tree.zxid().revision());
    }
}
