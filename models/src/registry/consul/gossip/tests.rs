//! One node at a time: what it believes, and what it answers.

use super::*;
use schism_core::Seed;

fn node(start: Start) -> Gossip {
    Gossip::new(Arc::new(Config::lan()), 0, 8, start, Time::START, Seed(1).luck("a", "gossip", 0))
}

fn sent(gossip: &mut Gossip) -> Vec<(Peer, Body)> {
    let packet = |output| match output {
        Output::Send(peer, packet) | Output::Stream(peer, packet) => Some((peer, packet.body)),
        Output::After(..) | Output::Tell(_) | Output::Deem(..) => None,
    };
    gossip.outputs().filter_map(packet).collect()
}

fn news(of: Peer, incarnation: u32, what: What) -> Packet {
    Packet { body: Body::Gossip, news: Box::new([News { of, incarnation, what }]) }
}

#[test]
fn reminders_and_packets_are_small() {
    assert_eq!((size_of::<Timer>(), size_of::<Packet>()), (12, 32));
}

#[test]
fn what_is_said_of_an_older_incarnation_is_not_believed() {
    let mut gossip = node(Start::Standing);
    gossip.on_message(Time::START, 2, news(3, 5, What::Alive));
    gossip.on_message(Time::START, 2, news(3, 4, What::Dead(2)));
    assert_eq!(gossip.status(3), Status::Alive);
    gossip.on_message(Time::START, 2, news(3, 5, What::Dead(2)));
    assert_eq!(gossip.status(3), Status::Dead);
    gossip.on_message(Time::START, 2, news(3, 5, What::Alive));
    assert_eq!(gossip.status(3), Status::Dead, "the same incarnation died");
    gossip.on_message(Time::START, 2, news(3, 6, What::Alive));
    assert_eq!(gossip.status(3), Status::Alive);
}

#[test]
fn who_is_called_dead_outbids_that_and_is_the_less_healthy_for_it() {
    let mut gossip = node(Start::Standing);
    gossip.on_message(Time::START, 2, news(0, 9, What::Dead(2)));
    assert_eq!((gossip.status(0), gossip.view.get(0).incarnation, gossip.health()), (Status::Alive, 10, 1));
}

#[test]
fn a_newcomer_asks_its_seeds_and_knows_the_cluster_by_the_answer() {
    let mut gossip = node(Start::Joining(vec![5, 6]));
    let asked: Vec<Peer> = sent(&mut gossip).iter().map(|(peer, _)| *peer).collect();
    assert_eq!((asked, gossip.status(3), gossip.is_known()), (vec![5], Status::Unknown, false));
    gossip.on_reset(Time::START, 5);
    assert_eq!(sent(&mut gossip)[0].0, 6);
    let answer = Packet::new(Body::Pull(Arc::new(View::full(8).roster())));
    gossip.on_message(Time::START, 6, answer);
    assert_eq!((gossip.status(3), gossip.is_known()), (Status::Alive, true));
    assert!(gossip.outputs().any(|output| output == Output::Tell(Event::Known)));
}

#[test]
fn a_ping_is_answered_and_the_news_go_along() {
    let mut gossip = node(Start::Standing);
    gossip.on_message(Time::START, 2, news(3, 1, What::Suspect(2)));
    gossip.outputs();
    gossip.on_message(Time::START, 4, Packet::new(Body::Ping(7)));
    let told = News { of: 3, incarnation: 1, what: What::Suspect(2) };
    let answer = Output::Send(4, Packet { body: Body::Ack(7), news: Box::new([told]) });
    assert!(gossip.outputs().any(|output| output == answer));
}
