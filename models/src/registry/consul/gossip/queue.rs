//! News that wait to be sent along: those sent least first, each a limited number of times (memberlist's queue.go).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::packet::COMPOUND;
use super::{Config, News, Peer};

/// The order of sending: fewer transmissions, then more bytes, then younger.
type Rank = (u32, Reverse<u32>, Reverse<u64>);

/// The news that wait, at most one of each peer: newer ones of it replace what there was.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<Rank, News>,
    of: BTreeMap<Peer, Rank>,
    /// How many there have been: the number of the next.
    count: u64,
}

impl Queue {
    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether news of a peer wait.
    pub fn has(&self, peer: Peer) -> bool {
        self.of.contains_key(&peer)
    }

    /// News to be sent, in the place of any of the same peer.
    pub fn push(&mut self, news: News, config: &Config) {
        if let Some(old) = self.of.remove(&news.of) {
            self.waiting.remove(&old);
        }
        let bytes = u32::try_from(news.size(config)).expect("news are small");
        self.count += 1;
        self.put((0, Reverse(bytes), Reverse(self.count)), news);
    }

    fn put(&mut self, rank: Rank, news: News) {
        self.waiting.insert(rank, news);
        self.of.insert(news.of, rank);
    }

    /// Takes what fits into so many bytes: of those sent equally often the largest that fits, and so on
    /// (`GetBroadcasts`). What has been sent `limit` times then is done with. Returns the bytes that are left.
    pub fn take(&mut self, mut room: u64, limit: u32, into: &mut Vec<News>) -> u64 {
        let (mut tier, mut again) = (0, Vec::new());
        while room > COMPOUND {
            let fits = u32::try_from(room - COMPOUND).unwrap_or(u32::MAX);
            let least = (tier, Reverse(fits), Reverse(u64::MAX));
            let Some((&rank, &news)) = self.waiting.range(least..).next() else { break };
            if rank.0 > tier {
                tier = rank.0;
                continue;
            }
            self.waiting.remove(&rank);
            self.of.remove(&news.of);
            room -= u64::from(rank.1.0) + COMPOUND;
            into.push(news);
            if rank.0 + 1 < limit {
                again.push(((rank.0 + 1, rank.1, rank.2), news));
            }
        }
        again.into_iter().for_each(|(rank, news)| self.put(rank, news));
        room
    }
}

#[cfg(test)]
mod tests {
    use super::super::What;
    use super::*;

    fn news(of: Peer, what: What) -> News {
        News { of, incarnation: 1, what }
    }

    fn taken(queue: &mut Queue, room: u64, limit: u32) -> Vec<Peer> {
        let mut into = Vec::new();
        queue.take(room, limit, &mut into);
        into.iter().map(|news| news.of).collect()
    }

    fn queue(of: &[(Peer, What)]) -> Queue {
        let mut queue = Queue::default();
        of.iter().for_each(|&(of, what)| queue.push(news(of, what), &Config::lan()));
        queue
    }

    #[test]
    fn news_are_sent_so_many_times_and_no_more() {
        let mut queue = queue(&[(1, What::Suspect(0))]);
        let sent = (0..10).filter(|_| !taken(&mut queue, 1_400, 4).is_empty()).count();
        assert_eq!(sent, 4);
        assert!(queue.is_empty() && !queue.has(1));
    }

    #[test]
    fn the_fresh_go_before_the_often_sent_then_the_large_then_the_young() {
        let mut queue = queue(&[(1, What::Dead(0)), (2, What::Alive), (3, What::Dead(0))]);
        assert_eq!(taken(&mut queue, 1_400, 4), [2, 3, 1]);
        queue.push(news(4, What::Dead(0)), &Config::lan());
        assert_eq!(taken(&mut queue, 1_400, 4), [4, 2, 3, 1]);
    }

    #[test]
    fn what_does_not_fit_waits_and_what_does_goes() {
        let mut queue = queue(&[(1, What::Alive), (2, What::Dead(0))]);
        let small = news(2, What::Dead(0)).size(&Config::lan()) + COMPOUND;
        assert_eq!(taken(&mut queue, small - 1, 4), []);
        assert_eq!(taken(&mut queue, small, 4), [2]);
        assert!(queue.has(1));
    }

    #[test]
    fn newer_news_of_a_peer_replace_the_older() {
        let mut queue = queue(&[(1, What::Suspect(0)), (1, What::Alive)]);
        let mut into = Vec::new();
        queue.take(1_400, 4, &mut into);
        assert_eq!(into, [news(1, What::Alive)]);
    }
}
