//! How news spread, beside whatever else is sent and on their own, and to whom (broadcast.go, state.go: `gossip`).

use schism_core::{Duration, Time};

use super::{Body, Gossip, News, Output, Packet, Peer, Rule, Status, Timer, View, formula, packet};

impl Gossip {
    /// Word to be passed on to everybody.
    pub(super) fn tell(&mut self, now: Time, news: News) {
        self.news.push(news, &self.config);
        self.wait_to_gossip(now);
    }

    /// While there are news, the ticker counts.
    pub(super) fn wait_to_gossip(&mut self, now: Time) {
        let has_news = !(self.news.is_empty() && self.intents.is_empty());
        if has_news && !self.is_gossiping {
            self.is_gossiping = true;
            let next = self.grid.next(now, self.config.gossip_interval);
            self.after(next.since(now), Timer::Gossip);
        }
    }

    /// A tick: some of the living, and of those who died lately, hear the news.
    pub(super) fn gossip(&mut self, now: Time) {
        self.is_gossiping = false;
        let lately = self.config.gossip_to_the_dead;
        let hears = |view: &View, peer| match view.status(peer) {
            Status::Alive | Status::Suspect => true,
            Status::Dead => now.since(view.get(peer).since) <= lately,
            Status::Left | Status::Unknown => false,
        };
        for peer in self.pick(self.config.gossip_nodes, hears) {
            let news = self.take_news(u64::from(self.config.packet_bytes) - packet::COMPOUND);
            if news.is_empty() {
                break;
            }
            self.outputs.push(Output::Send(peer, Packet { body: Body::Gossip, news }));
        }
        self.wait_to_gossip(now);
    }

    /// The news that fit: memberlist's own, and then serf's.
    pub(super) fn take_news(&mut self, room: u64) -> Box<[News]> {
        if self.news.is_empty() && self.intents.is_empty() {
            return Box::default();
        }
        let limit = formula::retransmit_limit(self.config.retransmit_mult, self.view.listed());
        let mut taken = Vec::new();
        let left = self.news.take(room, limit, &mut taken);
        self.intents.take(left, limit, &mut taken);
        taken.into_boxed_slice()
    }

    // What everything else is made of.

    /// A datagram, and the news that fit in beside it.
    pub(super) fn send(&mut self, to: Peer, body: Body) {
        let used = body.size(&self.config) + packet::COMPOUND;
        let news = self.take_news(u64::from(self.config.packet_bytes).saturating_sub(used));
        self.outputs.push(Output::Send(to, Packet { body, news }));
    }

    pub(super) fn stream(&mut self, to: Peer, body: Body) {
        self.outputs.push(Output::Stream(to, Packet::new(body)));
    }

    pub(super) fn after(&mut self, wait: Duration, timer: Timer) {
        self.outputs.push(Output::After(wait, timer));
    }

    pub(super) fn number(&mut self) -> u32 {
        self.count = self.count.wrapping_add(1);
        self.count
    }

    /// So many others drawn at random, of those who will do; fewer if they are not found in three times as many draws
    /// as there are nodes (`kRandomNodes`, util.go).
    pub(super) fn pick(&mut self, count: u32, will_do: impl Fn(&View, Peer) -> bool) -> Vec<Peer> {
        let known = match self.view.rule() {
            Rule::Alive => None,
            Rule::Unknown => Some(self.view.known()),
        };
        let of = known.as_ref().map_or(self.view.peers(), |known| known.len() as u32);
        let mut picked = Vec::new();
        for _ in 0..3 * of {
            if picked.len() as u32 >= count || self.view.listed() <= 1 {
                break;
            }
            let drawn = self.luck.below(of);
            let peer = known.as_ref().map_or(drawn, |known| known[drawn as usize]);
            if peer != self.me && !picked.contains(&peer) && will_do(&self.view, peer) {
                picked.push(peer);
            }
        }
        picked
    }
}
