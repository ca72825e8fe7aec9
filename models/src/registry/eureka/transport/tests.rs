//! How a client reaches the servers, try by try.

use schism_core::{Duration, Effect, Ratio, Seed};

use super::super::cache::ReadOnly;
use super::super::{Registration, Start, Version};
use super::*;
use crate::node::Node;

const ME: NodeId = NodeId(9);
const BEAT: Ask = Ask::Renew { node: ME, dirty: Time::START };

fn config() -> Arc<Config> {
    let second = Duration::from_secs(1);
    Arc::new(Config {
        members: 3,
        version: Version::V1_10,
        start: Start::Running,
        self_preservation: true,
        renewal_percent_threshold: Ratio::new(85, 100),
        renewal_threshold_update_interval: second * 900,
        expected_client_renewal_interval: second * 30,
        default_open_for_traffic_count: 0,
        eviction_interval: second * 60,
        response_cache_update_interval: second * 30,
        response_cache_auto_expiration: second * 180,
        read_only_response_cache: ReadOnly::Used,
        delta_retention: second * 180,
        delta_sweep_interval: second * 30,
        registry_sync_retries: 5,
        registry_sync_retry_wait: second * 30,
        wait_time_when_sync_empty: second * 300,
        peer_connect_timeout: second,
        peer_read_timeout: second * 5,
        max_time_for_replication: second * 30,
        lease_duration: second * 90,
        renewal_interval: second * 30,
        instance_info_replication_interval: second * 30,
        initial_instance_info_replication: second * 40,
        registration: Registration::OnStatusChange,
        healthcheck: false,
        fetch_interval: second * 30,
        delta: true,
        connect_timeout: second * 5,
        read_timeout: second * 8,
        back_off_bound: 10,
        session_reconnect_interval: second * 1200,
        list_refresh: None,
    })
}

/// What a client does at a time: to whom it sends, how long it waits for each, and what is over.
fn act(
    http: &mut Http,
    seconds: u64,
    what: impl FnOnce(&mut Http, &mut Ctx<'_>) -> Option<Ending>,
) -> (Vec<u32>, Vec<u64>, Option<Ending>) {
    let names: Vec<Arc<str>> = (0..10).map(|node| format!("node-{node}").into()).collect();
    let now = Time::START + Duration::from_secs(seconds);
    let mut effects: Vec<Effect<Node>> = Vec::new();
    let ending = what(http, &mut Ctx::new(now, ME, &names, Seed(1), &mut effects));
    let (mut sent, mut waits) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Stream { to, .. } => sent.push(to.0),
            Effect::Timer { at, .. } => waits.push(at.since(now).as_nanos() / 1_000_000_000),
            Effect::Send { .. }
            | Effect::HangUp { .. }
            | Effect::Write(_)
            | Effect::Sync
            | Effect::Touch { .. }
            | Effect::Exit { .. }
            | Effect::Recycle { .. }
            | Effect::Observe(_) => {}
        }
    }
    (sent, waits, ending)
}

fn client() -> Http {
    let order = [0, 1, 2].map(NodeId).to_vec();
    let names: Vec<Arc<str>> = (0..10).map(|node| format!("node-{node}").into()).collect();
    let mut effects = Vec::new();
    Http::new(&config(), order, &Ctx::new(Time::START, ME, &names, Seed(1), &mut effects))
}

fn ask(http: &mut Http, seconds: u64) -> (Vec<u32>, Vec<u64>) {
    let (sent, waits, _) = act(http, seconds, |http, ctx| {
        http.ask(ctx, BEAT);
        None
    });
    (sent, waits)
}

fn answer(http: &mut Http, seconds: u64, from: u32, number: u32) -> bool {
    act(http, seconds, |http, ctx| http.on_answer(ctx, NodeId(from), number, &Answer::Done)).2.is_some()
}

#[test]
fn it_keeps_to_the_server_that_answered_and_then_waits_longer() {
    let mut http = client();
    assert_eq!(ask(&mut http, 0), (vec![0], vec![5]));
    assert!(answer(&mut http, 1, 0, 1));
    assert_eq!(ask(&mut http, 30), (vec![0], vec![8]));
}

#[test]
fn the_server_that_it_kept_to_is_tried_once_more_as_the_first_of_the_list() {
    let mut http = client();
    ask(&mut http, 0);
    answer(&mut http, 1, 0, 1);
    ask(&mut http, 30);
    let (sent, ..) = act(&mut http, 38, |http, ctx| http.on_unanswered(ctx, 2, 0));
    assert_eq!(sent, [0], "only a server of the list is quarantined");
    let (sent, ..) = act(&mut http, 43, |http, ctx| http.on_unanswered(ctx, 2, 1));
    assert_eq!(sent, [1]);
    assert!(answer(&mut http, 44, 1, 2));
    assert_eq!(ask(&mut http, 60).0, [1]);
}

#[test]
fn after_three_tries_it_gives_up() {
    let mut http = client();
    ask(&mut http, 0);
    for (server, next) in [(0, vec![1]), (1, vec![2])] {
        let (sent, _, ending) =
            act(&mut http, 0, |http, ctx| http.on_reset(ctx, NodeId(server)).into_iter().next());
        assert_eq!((sent, ending.is_some()), (next, false));
    }
    let (sent, _, ending) = act(&mut http, 0, |http, ctx| http.on_reset(ctx, NodeId(2)).into_iter().next());
    assert!(sent.is_empty() && ending.is_some_and(|ending| ending.answer.is_none()));
}

#[test]
fn a_session_ends_between_half_and_one_and_a_half_of_its_length() {
    let mut http = client();
    ask(&mut http, 0);
    act(&mut http, 0, |http, ctx| http.on_reset(ctx, NodeId(0)).into_iter().next());
    assert!(answer(&mut http, 1, 1, 1));
    assert_eq!(ask(&mut http, 599).0, [1], "it keeps to the server");
    assert!(answer(&mut http, 599, 1, 2));
    assert_eq!(ask(&mut http, 1800).0, [0], "it begins with the first of its list");
}

#[test]
fn what_is_no_answer_for_one_request_is_one_for_another() {
    let beat = |answer| is_accepted(BEAT, &answer);
    assert!(beat(Answer::NotFound) && !beat(Answer::Forbidden) && !beat(Answer::Unavailable));
    assert!(is_accepted(Ask::Delta, &Answer::Forbidden) && !is_accepted(Ask::Full, &Answer::Forbidden));
    assert!(is_accepted(Ask::Cancel { node: ME }, &Answer::Unavailable));
}
