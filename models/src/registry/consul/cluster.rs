//! The cluster: servers and agents by the number that gossip knows them by. Servers first, then agents.

use std::sync::Arc;

use schism_core::NodeId;

use super::api::{Msg, Timer};
use super::gossip::{Event, Output, Peer, Start};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::Layout;

/// Who is who.
#[derive(Clone, Debug)]
pub struct Cluster {
    layout: Arc<Layout>,
}

/// Which kind of process it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// A server, by its number.
    Server(usize),
    /// The agent on the host of an instance.
    Agent(NodeId),
}

impl Cluster {
    /// The cluster of a layout.
    pub fn new(layout: Arc<Layout>) -> Cluster {
        debug_assert!(layout.aides.is_sorted_by_key(|aide| aide.node), "agents are found by their order");
        Cluster { layout }
    }

    /// How many there are.
    pub fn size(&self) -> u32 {
        (self.servers() + self.layout.aides.len()) as u32
    }

    /// Does what the gossip asks for, or says what it tells.
    pub fn carry(&self, ctx: &mut Ctx<'_>, output: Output) -> Option<Event> {
        match output {
            Output::Send(to, packet) => ctx.send(self.node(to), Msg::Gossip(packet).into()),
            Output::Stream(to, packet) => ctx.stream(self.node(to), Msg::Gossip(packet).into()),
            Output::After(after, timer) => ctx.after(after, Timer::Gossip(timer).into()),
            Output::Tell(event) => return Some(event),
            Output::Deem(of, standing) => {
                let subject = match self.who(of) {
                    Who::Server(number) => self.server(number),
                    Who::Agent(host) => host,
                };
                ctx.observe(Observation::Deems { subject, standing });
            }
        }
        None
    }

    /// How many servers there are.
    pub fn servers(&self) -> usize {
        self.layout.members.len()
    }

    /// A server's node.
    pub fn server(&self, number: usize) -> NodeId {
        self.layout.members[number].0
    }

    /// The number of a server.
    pub fn server_at(&self, node: NodeId) -> Option<usize> {
        self.layout.members.iter().position(|member| member.0 == node)
    }

    /// The number that gossip knows an agent by.
    pub fn agent(&self, number: usize) -> Peer {
        (self.servers() + number) as Peer
    }

    /// The host of an agent.
    pub fn host(&self, number: usize) -> NodeId {
        self.layout.aides[number].host.expect("an agent is on the host of an instance")
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.layout.aides.len()).map(|number| self.host(number))
    }

    /// Who has a number in the gossip.
    pub fn who(&self, peer: Peer) -> Who {
        match (peer as usize).checked_sub(self.servers()) {
            None => Who::Server(peer as usize),
            Some(agent) => Who::Agent(self.host(agent)),
        }
    }

    /// The node of who has a number in the gossip.
    pub fn node(&self, peer: Peer) -> NodeId {
        match (peer as usize).checked_sub(self.servers()) {
            None => self.server(peer as usize),
            Some(agent) => self.layout.aides[agent].node,
        }
    }

    /// The number that gossip knows a node by, if it is of the cluster.
    pub fn peer(&self, node: NodeId) -> Option<Peer> {
        let agent = || {
            let found = self.layout.aides.binary_search_by_key(&node, |aide| aide.node);
            found.ok().map(|number| self.agent(number))
        };
        self.server_at(node).map(|number| number as Peer).or_else(agent)
    }

    /// The number that gossip knows the agent on an instance's host by.
    pub fn agent_of(&self, host: NodeId) -> Option<Peer> {
        let number = self.layout.aides.iter().position(|aide| aide.host == Some(host));
        number.map(|number| self.agent(number))
    }

    /// How someone's life in the gossip begins who has been here before, or has not. At the start of a run everybody has
    /// been there for long.
    pub fn start(&self, is_beginning: bool, was_here: bool) -> Start {
        match (is_beginning, was_here) {
            (true, _) => Start::Standing,
            (false, true) => Start::Rejoining,
            (false, false) => Start::Joining((0..self.servers() as Peer).collect()),
        }
    }
}
