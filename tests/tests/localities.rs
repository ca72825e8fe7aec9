//! Localities, subsets and slow start, pick by pick: rows of the real systems' own tests and documents, through the picker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use schism_core::{Draw, Duration, NodeId, Time, ZoneId};
use schism_models::balancer::slow_start::SlowStart;
use schism_models::balancer::{self, Call, Seat};
use schism_models::dice::Dice;
use schism_models::keys::Subject;
use schism_models::listing::{Endpoint, InFlight, Listing, Roster};
use schism_models::locality::{self, Standing};
use schism_models::options::Value;
use schism_models::picker::{Config, District, Picker, Site};
use schism_models::state::State;
use schism_models::subset::{self, Fallback, Labels, Selector};

/// One endpoint as a test makes it up.
#[derive(Clone, Copy, Debug)]
struct Host {
    zone: &'static str,
    weight: u32,
    priority: Option<u32>,
    standing: Standing,
}

const WELL: Host = Host { zone: "A", weight: 1, priority: None, standing: Standing::Healthy };

impl Host {
    fn in_zone(zone: &'static str) -> Host {
        Host { zone, ..WELL }
    }
}

/// A picker with what it picks from.
struct Stand {
    picker: Picker,
    hosts: Vec<Host>,
    zones: Vec<String>,
    in_flight: InFlight,
    now: Time,
}

/// Where the client of a test is, and how many clients each zone has.
struct Place {
    zones: &'static [&'static str],
    home: &'static str,
    locals: &'static [(&'static str, u32)],
}

const ALONE: Place = Place { zones: &["A", "B", "C", "D"], home: "A", locals: &[("A", 1)] };

/// The balancer of this name with its defaults.
fn balancer(name: &str) -> balancer::Config {
    balancer::Config::read(name, &mut |knob| (knob.default)()).expect("it is in the catalog")
}

/// The locality of this name with these options.
fn locality(name: &str, options: &[(&str, Value)]) -> locality::Config {
    let written =
        |name: &str| options.iter().find(|(option, _)| *option == name).map(|(_, value)| value.clone());
    let config =
        locality::Config::read(name, &mut |knob| written(knob.name).unwrap_or_else(|| (knob.default)()));
    let config = config.expect("it is in the catalog");
    assert_eq!(config.check(), Ok(()));
    config
}

fn weights(of: &[(&str, u32)]) -> Value {
    Value::Table(of.iter().map(|(zone, weight)| ((*zone).to_owned(), *weight)).collect())
}

impl Stand {
    /// The picker draws these words when it is made, and zeros when it is told of the hosts.
    fn new(config: &Config, place: &Place, hosts: &[Host], words: &[u64]) -> Stand {
        let names = (0..hosts.len()).map(|number| format!("host-{number}")).collect();
        Stand::named(config, place, hosts, names, words)
    }

    fn named(config: &Config, place: &Place, hosts: &[Host], names: Vec<String>, words: &[u64]) -> Stand {
        let zones: Vec<String> = place.zones.iter().map(|zone| (*zone).to_owned()).collect();
        let number = |zone: &str| zones.iter().position(|it| it == zone).expect("a zone of the place");
        let mut locals = vec![0; zones.len()];
        place.locals.iter().for_each(|(zone, clients)| locals[number(zone)] = *clients);
        let roster = Roster::new(names).with_priorities(hosts.iter().map(|host| host.priority).collect());
        let zone = ZoneId(number(place.home) as u16);
        let district = Arc::new(District { roster, zones: zones.clone(), locals });
        let site = Site { seat: Seat { index: 0, peers: 1 }, zone, district };
        let mut script: VecDeque<u64> = words.iter().copied().collect();
        let picker = Picker::new(config, &site, &mut Dice::scripted(&mut script, Draw::new(1).many()));
        let (in_flight, now) = (InFlight::default(), Time::START);
        let mut stand = Stand { picker, hosts: hosts.to_vec(), zones, in_flight, now };
        (0..).zip(hosts).for_each(|(ordinal, host)| stand.picker.hear_of(now, ordinal, host.standing));
        stand.list(0..hosts.len() as u32);
        stand
    }

    /// These are listed, by ordinal.
    fn list(&mut self, ordinals: impl IntoIterator<Item = u32>) {
        let endpoint = |ordinal| {
            let host = self.hosts[ordinal as usize];
            let zone = self.zones.iter().position(|zone| zone == host.zone).expect("a zone of the place");
            Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(zone as u16), weight: host.weight }
        };
        let endpoints = ordinals.into_iter().map(endpoint).collect();
        let listing = Arc::new(Listing { endpoints, ..Listing::default() });
        let mut zeros = VecDeque::from([0; 8]);
        let dice = &mut Dice::scripted(&mut zeros, Draw::new(2).many());
        self.picker.on_listing(self.now, &listing, &self.in_flight, dice);
    }

    fn stands(&mut self, ordinal: u32, standing: Standing) {
        let mut zeros = VecDeque::from([0; 8]);
        let dice = &mut Dice::scripted(&mut zeros, Draw::new(2).many());
        self.picker.on_standings(self.now, [(ordinal, standing)], &self.in_flight, dice);
    }

    /// The endpoint of a pick that draws these words, and how many of them it drew.
    fn pick_of(&mut self, call: &Call<'_>, words: &[u64]) -> (Option<u32>, usize) {
        let mut script: VecDeque<u64> = words.iter().copied().collect();
        let dice = &mut Dice::scripted(&mut script, Draw::new(3).many());
        let picked = self.picker.pick(self.now, &self.in_flight, call, dice);
        (picked.map(|endpoint| endpoint.ordinal), words.len() - script.len())
    }

    fn pick(&mut self, words: &[u64]) -> Option<u32> {
        self.pick_of(&Call::about(Subject::Nothing), words).0
    }

    /// So many picks one after another.
    fn picks(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.pick(&[]).expect("somebody is there")).collect()
    }

    fn zones_of(&mut self, count: usize) -> Vec<&'static str> {
        self.picks(count).into_iter().map(|ordinal| self.hosts[ordinal as usize].zone).collect()
    }

    /// What the locality shows under this name.
    fn shown(&self, name: &str) -> State {
        let part = |state: &State, name: &str| {
            let State::Table(parts) = state else { return None };
            parts.iter().find(|(it, _)| it == name).map(|(_, part)| part.clone())
        };
        let state = self.picker.state(self.now, &self.in_flight);
        part(&state, "locality").and_then(|state| part(&state, name)).unwrap_or(State::None)
    }
}

/// Hosts of priority levels: of each, how many there are, and how many are healthy, degraded and excluded.
fn levels(counts: &[[u32; 4]]) -> Vec<Host> {
    let level = |(priority, &[hosts, healthy, degraded, excluded]): (u32, &[u32; 4])| {
        let standing = move |number| match number {
            number if number < healthy => Standing::Healthy,
            number if number < healthy + degraded => Standing::Degraded,
            number if number < healthy + degraded + excluded => Standing::Excluded,
            _ => Standing::Unhealthy,
        };
        (0..hosts).map(move |number| Host { priority: Some(priority), standing: standing(number), ..WELL })
    };
    (0..).zip(counts).flat_map(level).collect()
}

/// How many of the hundred words go to healthy and to degraded hosts of each level; in panic all are as healthy ones.
fn spread(stand: &mut Stand, levels: usize, panic: &[bool]) -> (Vec<u32>, Vec<u32>) {
    let (mut healthy, mut degraded) = (vec![0; levels], vec![0; levels]);
    for word in 0..100 {
        let (picked, drawn) = stand.pick_of(&Call::about(Subject::Nothing), &[word]);
        assert_eq!(drawn, 1, "with several levels a word is drawn for them");
        let host = stand.hosts[picked.expect("somebody is there") as usize];
        let level = host.priority.expect("all have one") as usize;
        match host.standing {
            _ if panic[level] => healthy[level] += 1,
            Standing::Healthy => healthy[level] += 1,
            Standing::Degraded => degraded[level] += 1,
            Standing::Unhealthy | Standing::Excluded => panic!("{host:?} is picked without panic"),
        }
    }
    (healthy, degraded)
}

/// The levels' counts, the loads of their healthy and degraded hosts, and whether each is in panic.
type Row<'a> = (&'a [[u32; 4]], &'a [u32], &'a [u32], &'a [bool]);

/// envoyproxy/envoy test/extensions/load_balancing_policies/common/load_balancer_impl_base_test.cc at 247ad91.
#[test]
fn priority_loads_are_envoys() {
    const NO: bool = false;
    const YES: bool = true;
    let rows: &[Row<'_>] = &[
        (&[[4, 2, 0, 0], [4, 2, 0, 0]], &[70, 30], &[0, 0], &[NO, NO]),
        (&[[1, 1, 0, 0], [1, 1, 0, 0]], &[100, 0], &[0, 0], &[NO, NO]),
        (&[[4, 1, 0, 0], [2, 2, 0, 0]], &[35, 65], &[0, 0], &[NO, NO]),
        (&[[4, 1, 0, 3], [5, 1, 0, 0]], &[100, 0], &[0, 0], &[NO, NO]),
        (&[[4, 0, 0, 1], [6, 1, 0, 2]], &[40, 60], &[0, 0], &[YES, YES]),
        (&[[2, 1, 0, 0], [2, 1, 0, 0], [2, 1, 0, 0]], &[70, 30, 0], &[0, 0, 0], &[NO, NO, NO]),
        (&[[4, 1, 0, 0], [4, 1, 0, 0], [4, 1, 0, 0]], &[35, 35, 30], &[0, 0, 0], &[NO, NO, NO]),
        (&[[5, 0, 0, 0], [5, 0, 0, 0], [5, 5, 0, 0]], &[0, 0, 100], &[0, 0, 0], &[NO, NO, NO]),
        (&[[5, 0, 0, 0], [5, 0, 0, 0], [5, 2, 0, 0]], &[34, 33, 33], &[0, 0, 0], &[YES, YES, YES]),
        (&[[5, 0, 0, 0], [3, 0, 0, 0], [2, 0, 0, 0]], &[50, 30, 20], &[0, 0, 0], &[YES, YES, YES]),
        (&[[5, 0, 1, 0], [5, 0, 5, 0], [5, 1, 0, 0]], &[0, 0, 28], &[28, 44, 0], &[NO, NO, NO]),
        (&[[5, 0, 0, 0], [5, 0, 2, 0], [5, 0, 1, 0]], &[34, 33, 33], &[0, 0, 0], &[YES, YES, YES]),
        (&[[0, 0, 0, 0], [6, 0, 0, 0], [3, 0, 0, 0]], &[0, 67, 33], &[0, 0, 0], &[YES, YES, YES]),
        (&[[1, 0, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0]], &[0, 0, 100], &[0, 0, 0], &[NO, NO, NO]),
    ];
    for (counts, load, degraded_load, panic) in rows {
        for name in ["priority", "none", "zone-aware", "locality-weighted"] {
            let config = Config::new(balancer("random"), locality(name, &[]));
            let mut stand = Stand::new(&config, &ALONE, &levels(counts), &[]);
            let spread = spread(&mut stand, counts.len(), panic);
            assert_eq!(spread, (load.to_vec(), degraded_load.to_vec()), "{name}: {counts:?}");
            assert_eq!(stand.shown("load"), State::list(load.iter().copied()), "{name}: {counts:?}");
            assert_eq!(stand.shown("panic"), State::list(panic.iter().copied()), "{name}: {counts:?}");
        }
    }
}

/// The same file's tests of `weighted_priority_health`.
#[test]
fn the_health_of_a_level_may_go_by_weight() {
    use Standing::{Degraded, Healthy, Unhealthy};
    let host = |(priority, standing, weight)| Host { priority: Some(priority), standing, weight, ..WELL };
    let by_weight = [("weighted-health", Value::Flag(true)), ("overprovisioning", Value::Count(100))];
    let config = Config::new(balancer("random"), locality("priority", &by_weight));
    let first = [(0, Healthy, 3), (0, Healthy, 3), (0, Unhealthy, 2), (0, Unhealthy, 2), (1, Healthy, 1)];
    let mut stand = Stand::new(&config, &ALONE, &first.map(host), &[]);
    assert_eq!(spread(&mut stand, 2, &[false; 2]), (vec![60, 40], vec![0, 0]));
    let second = [
        (0, Healthy, 4),
        (0, Degraded, 3),
        (0, Unhealthy, 2),
        (0, Unhealthy, 1),
        (1, Healthy, 1),
        (1, Degraded, 9),
    ];
    let mut stand = Stand::new(&config, &ALONE, &second.map(host), &[]);
    assert_eq!(spread(&mut stand, 2, &[false; 2]), (vec![40, 10], vec![30, 20]));
}

#[test]
fn with_one_level_no_word_is_drawn_for_it_unless_some_are_degraded() {
    let config = Config::new(balancer("round-robin"), locality("none", &[]));
    let about_nothing = Call::about(Subject::Nothing);
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 3, 0, 0]]), &[0]);
    assert_eq!(stand.pick_of(&about_nothing, &[99]), (Some(0), 0));
    // 105% of the load would be healthy hosts', but these are 70, and 35 for the degraded one: less than what is left.
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 2, 1, 0]]), &[0]);
    assert_eq!(stand.pick_of(&about_nothing, &[69]), (Some(0), 1));
    assert_eq!(stand.pick_of(&about_nothing, &[70]), (Some(2), 1));
}

/// ring_hash_lb_test.cc at 13e9fdb: with no healthy host the ring is over all hosts, and a hash finds whom it found.
#[test]
fn in_panic_all_hosts_are_used_alike() {
    let config = Config::new(balancer("ring-hash"), locality("none", &[]));
    let about = Call::about(Subject::Hash(0));
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[6, 6, 0, 0]]), &[]);
    let (well, _) = stand.pick_of(&about, &[]);
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[6, 0, 0, 0]]), &[]);
    assert_eq!(stand.pick_of(&about, &[]).0, well);
    assert_eq!(stand.shown("panic"), State::list([true]));
}

#[test]
fn a_level_in_panic_may_fail_its_requests_unless_a_hash_decides() {
    let fail = [("fail-on-panic", Value::Flag(true))];
    for (name, is_some) in [("random", false), ("maglev", true)] {
        let config = Config::new(balancer(name), locality("priority", &fail));
        let mut stand = Stand::new(&config, &ALONE, &levels(&[[5, 2, 0, 0]]), &[]);
        assert_eq!(stand.pick(&[]).is_some(), is_some, "{name}");
    }
}

/// A threshold of 0% disables panic (panic_threshold.rst): with nobody healthy, nobody serves.
#[test]
fn without_a_threshold_there_is_no_panic() {
    let never = [("panic-threshold", Value::Count(0))];
    let config = Config::new(balancer("random"), locality("priority", &never));
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 0, 0, 0], [4, 0, 0, 0]]), &[]);
    assert_eq!(stand.pick(&[]), None);
}

/// thread_aware_lb_impl.cc at 0336fd6: the request's hash draws its level, and no word is drawn.
#[test]
fn a_hash_draws_its_level() {
    let config = Config::new(balancer("maglev"), locality("none", &[]));
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 1, 0, 0], [2, 2, 0, 0]]), &[]);
    for hash in 0..100 {
        let (picked, drawn) = stand.pick_of(&Call::about(Subject::Hash(hash)), &[7]);
        let level = stand.hosts[picked.expect("somebody is there") as usize].priority;
        assert_eq!((level, drawn), (Some(u32::from(hash >= 35)), 0), "{hash}");
    }
}

#[test]
fn levels_are_the_own_zone_and_the_rest_unless_written() {
    let hosts = ["A", "B", "C"].map(Host::in_zone);
    let levels_of = |levels: Option<&[&[&str]]>, standing: [Standing; 3]| {
        let lists = |lists: &[&[&str]]| {
            Value::Lists(lists.iter().map(|list| list.iter().map(|it| (*it).to_owned()).collect()).collect())
        };
        let options: Vec<_> = levels.map(|levels| ("levels", lists(levels))).into_iter().collect();
        let mut hosts = hosts;
        hosts.iter_mut().zip(standing).for_each(|(host, standing)| host.standing = standing);
        let config = Config::new(balancer("round-robin"), locality("priority", &options));
        let mut stand = Stand::new(&config, &ALONE, &hosts, &[]);
        (0..100)
            .filter_map(|word| stand.pick(&[word]))
            .map(|ordinal| hosts[ordinal as usize].zone)
            .collect::<BTreeSet<_>>()
    };
    use Standing::{Healthy, Unhealthy};
    let well = [Healthy; 3];
    assert_eq!(levels_of(None, well), BTreeSet::from(["A"]));
    assert_eq!(levels_of(None, [Unhealthy, Healthy, Healthy]), BTreeSet::from(["B", "C"]));
    assert_eq!(levels_of(Some(&[&["B"], &["own"], &["C"]]), well), BTreeSet::from(["B"]));
    assert_eq!(
        levels_of(Some(&[&["B"], &["own"], &["C"]]), [Healthy, Unhealthy, Healthy]),
        BTreeSet::from(["A"])
    );
    assert_eq!(levels_of(Some(&[&["C"]]), [Healthy, Healthy, Unhealthy]), BTreeSet::from(["A", "B"]));
}

/// gRFC A56: the first level that has a usable endpoint gets everything.
#[test]
fn grpc_fails_over_all_at_once() {
    let grpc = [("flavour", Value::Word("grpc"))];
    let config = Config::new(balancer("round-robin"), locality("priority", &grpc));
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 1, 0, 0], [2, 2, 0, 0]]), &[0]);
    assert_eq!(stand.picks(3), [0, 0, 0]);
    stand.stands(0, Standing::Unhealthy);
    assert_eq!(stand.picks(3), [4, 5, 4]);
    stand.stands(0, Standing::Healthy);
    assert_eq!(stand.picks(1), [0]);
    (0..6).for_each(|ordinal| stand.stands(ordinal, Standing::Unhealthy));
    assert_eq!(stand.pick(&[]), None);
}

/// A level that comes again goes on where it was: Envoy keeps its turns for each source of hosts.
#[test]
fn a_level_that_comes_again_goes_on_with_its_turns() {
    let config = Config::new(balancer("round-robin"), locality("none", &[]));
    let mut stand = Stand::new(&config, &ALONE, &levels(&[[4, 4, 0, 0]]), &[0]);
    assert_eq!(stand.picks(2), [0, 1]);
    (0..4).for_each(|ordinal| stand.stands(ordinal, Standing::Unhealthy));
    assert_eq!(stand.picks(1), [0], "in panic there are other turns");
    (0..4).for_each(|ordinal| stand.stands(ordinal, Standing::Healthy));
    assert_eq!(stand.picks(2), [2, 3]);
}

fn in_zones(counts: &[(&'static str, usize)]) -> Vec<Host> {
    counts.iter().flat_map(|&(zone, count)| vec![Host::in_zone(zone); count]).collect()
}

/// round_robin_lb_test.cc at 0d2acde, `ZoneAwareResidualsMismatched` and `ZoneAwareRoutingEmptyLocalities`; of the
/// latter's empty localities there is nothing to list.
#[test]
fn zone_aware_draws_are_envoys() {
    let mismatched = Place {
        zones: &["A", "B", "C", "D", "E"],
        home: "A",
        locals: &[("A", 2), ("B", 2), ("C", 1), ("D", 1)],
    };
    let empty = Place {
        zones: &["A", "B", "C", "D", "E", "F", "G", "H", "I"],
        home: "A",
        locals: &[("A", 1), ("C", 1), ("D", 1), ("F", 1)],
    };
    /// The draws for the own zone and for another, and the zone that is chosen.
    type Drawn<'a> = &'a [(u64, u64, &'a str)];
    /// The share of ten thousand that stays, and what is left over in each zone, summed up.
    type Computed<'a> = (u64, &'a [u64]);
    let cases: [(Place, Vec<Host>, Computed<'_>, Drawn<'_>); 2] = [
        (
            mismatched,
            in_zones(&[("A", 1), ("C", 3), ("D", 3), ("E", 1)]),
            (3750, &[0, 2084, 4168, 5418]),
            &[
                (0, 0, "A"),
                (3749, 0, "A"),
                (3750, 0, "C"),
                (3750, 2083, "C"),
                (9999, 2084, "D"),
                (9999, 4167, "D"),
                (9999, 4168, "E"),
                (9999, 5417, "E"),
                (9999, 5418, "C"),
            ],
        ),
        (
            empty,
            in_zones(&[("C", 2), ("E", 1), ("F", 2), ("H", 1)]),
            (0, &[833, 2499, 3332, 4998]),
            &[
                (0, 0, "C"),
                (0, 832, "C"),
                (0, 833, "E"),
                (0, 2498, "E"),
                (0, 2499, "F"),
                (0, 3331, "F"),
                (0, 3332, "H"),
                (0, 4997, "H"),
                (0, 4998, "C"),
            ],
        ),
    ];
    for (place, hosts, (local, residual), draws) in cases {
        let config = Config::new(balancer("round-robin"), locality("zone-aware", &[]));
        let mut stand = Stand::new(&config, &place, &hosts, &[0]);
        let routing = State::table([
            ("mode", State::from("residual")),
            ("local_percent_to_route", State::from(local)),
            ("residual_cumulative", State::list(residual.iter().copied())),
        ]);
        assert_eq!(stand.shown("routing"), routing);
        for &(own, other, zone) in draws {
            let (picked, drawn) = stand.pick_of(&Call::about(Subject::Nothing), &[own, other]);
            let picked = picked.expect("somebody is there");
            assert_eq!((stand.hosts[picked as usize].zone, drawn), (zone, if own < local { 1 } else { 2 }));
        }
    }
}

/// The same file's `ZoneAwareSmallCluster`, and the conditions of `earlyExitNonLocalityRouting`.
#[test]
fn zones_do_not_matter_where_envoy_says_so() {
    const THREE: Place =
        Place { zones: &["A", "B", "C"], home: "A", locals: &[("A", 1), ("B", 1), ("C", 1)] };
    const ONE: Place = Place { locals: &[("A", 3)], ..THREE };
    const NONE_HERE: Place = Place { locals: &[("B", 1), ("C", 1)], ..THREE };
    let small = [("min-cluster-size", Value::Count(1))];
    let forced = [("min-cluster-size", Value::Count(1)), ("force-local-zone", Value::Count(1))];
    let off = [("min-cluster-size", Value::Count(1)), ("routing-enabled", Value::Count(0))];
    let hosts = ["A", "B", "C"].map(Host::in_zone);
    let cases: [(&[_], Place, &[u32]); 7] = [
        (&[], THREE, &[0, 1, 2]),
        (&[("min-cluster-size", Value::Count(4))], THREE, &[0, 1, 2]),
        (&small, THREE, &[0, 0, 0]),
        (&small, ONE, &[0, 1, 2]),
        (&forced, ONE, &[0, 0, 0]),
        (&small, NONE_HERE, &[0, 1, 2]),
        (&off, THREE, &[0, 1, 2]),
    ];
    for (options, place, expected) in cases {
        let config = Config::new(balancer("round-robin"), locality("zone-aware", options));
        let mut stand = Stand::new(&config, &place, &hosts, &[0]);
        assert_eq!(stand.picks(3), expected, "{options:?}");
    }
}

/// For half of the requests: a word decides, as `featureEnabled` has it.
#[test]
fn zones_may_matter_for_a_share_of_requests() {
    const TWO: Place = Place { zones: &["A", "B"], home: "A", locals: &[("A", 1), ("B", 1)] };
    let half = [("min-cluster-size", Value::Count(1)), ("routing-enabled", Value::Count(50))];
    let config = Config::new(balancer("round-robin"), locality("zone-aware", &half));
    let mut stand = Stand::new(&config, &TWO, &["A", "B"].map(Host::in_zone), &[0]);
    let picked = [49, 50, 50, 0].map(|word| stand.pick_of(&Call::about(Subject::Nothing), &[word]));
    assert_eq!(picked, [(Some(0), 1), (Some(0), 1), (Some(1), 1), (Some(0), 1)]);
}

/// The basis of shares may be weights: the own zone then bears more.
#[test]
fn a_zones_share_may_go_by_weight() {
    const TWO: Place = Place { zones: &["A", "B"], home: "A", locals: &[("A", 1), ("B", 1)] };
    let mut hosts = in_zones(&[("A", 2), ("B", 6)]);
    hosts.iter_mut().take(2).for_each(|host| host.weight = 3);
    for (by_weight, zones) in [(false, BTreeSet::from(["A", "B"])), (true, BTreeSet::from(["A"]))] {
        let options = [("use-host-weight", Value::Flag(by_weight))];
        let config = Config::new(balancer("random"), locality("zone-aware", &options));
        let mut stand = Stand::new(&config, &TWO, &hosts, &[]);
        let picked = (0..40).map(|number| stand.pick(&[number * 251]).expect("somebody is there"));
        let picked: Vec<u32> = picked.collect();
        assert_eq!(picked.iter().map(|&it| hosts[it as usize].zone).collect::<BTreeSet<_>>(), zones);
    }
}

/// locality_wrr_test.cc at 7924be2.
#[test]
fn zones_take_turns_by_their_weights() {
    type Weights<'a> = &'a [(&'a str, u32)];
    let cases: [(Weights<'_>, &[&str]); 3] = [
        (&[("A", 1), ("B", 1), ("C", 1)], &["A", "B", "C", "A", "B", "C"]),
        (&[("A", 1), ("B", 2)], &["B", "A", "B", "B", "A", "B"]),
        (&[("A", 1), ("C", 1)], &["A", "C", "A", "C", "A", "C"]),
    ];
    for (given, expected) in cases {
        let hosts = if given.len() == 2 && given[1].0 == "B" { &["A", "B"][..] } else { &["A", "B", "C"] };
        let hosts: Vec<Host> = hosts.iter().copied().map(Host::in_zone).collect();
        let config = Config::new(
            balancer("round-robin"),
            locality("locality-weighted", &[("weights", weights(given))]),
        );
        let mut stand = Stand::new(&config, &ALONE, &hosts, &[0]);
        assert_eq!(stand.zones_of(6), expected, "{given:?}");
    }
}

/// The same file's `UnhealthyFailover`, and the table of locality_weight.rst.
#[test]
fn what_is_unhealthy_in_a_zone_lessens_its_weight() {
    let weights = [("weights", weights(&[("A", 1), ("B", 2)]))];
    let config = Config::new(balancer("round-robin"), locality("locality-weighted", &weights));
    for (healthy, of_100) in [(5, 33), (3, 29), (1, 12)] {
        let mut hosts = in_zones(&[("A", 5), ("B", 1)]);
        hosts[healthy..5].iter_mut().for_each(|host| host.standing = Standing::Unhealthy);
        // Where less than half of all is healthy there is panic, which the original has no part of.
        hosts.extend(if healthy == 1 { in_zones(&[("B", 3)]) } else { Vec::new() });
        let mut stand = Stand::new(&config, &ALONE, &hosts, &[0]);
        let to_a = stand.zones_of(100).into_iter().filter(|zone| *zone == "A").count();
        assert_eq!(to_a, of_100, "{healthy} of 5");
    }
    for (per_cent, printed) in [(100, 33), (70, 33), (69, 32), (50, 26), (25, 15), (0, 0)] {
        let mut hosts = in_zones(&[("A", 100), ("B", 100)]);
        hosts[per_cent..100].iter_mut().for_each(|host| host.standing = Standing::Unhealthy);
        let mut stand = Stand::new(&config, &ALONE, &hosts, &[0]);
        let to_a = stand.zones_of(10_000).into_iter().filter(|zone| *zone == "A").count();
        assert!(to_a.abs_diff(printed * 100) <= 60, "{per_cent}%: {to_a} of 10,000");
    }
}

#[test]
fn excluded_hosts_do_not_lessen_the_weight_of_a_zone() {
    let weights = [("weights", weights(&[("A", 1), ("B", 1)]))];
    let config = Config::new(balancer("round-robin"), locality("locality-weighted", &weights));
    let mut hosts = in_zones(&[("A", 4), ("B", 4)]);
    hosts[1..4].iter_mut().for_each(|host| host.standing = Standing::Excluded);
    let mut stand = Stand::new(&config, &ALONE, &hosts, &[0]);
    assert_eq!(stand.zones_of(100).into_iter().filter(|zone| *zone == "A").count(), 50);
}

/// A policy that hashes gives each host its part of its zone's weight.
#[test]
fn what_hashes_heeds_the_weights_of_zones_itself() {
    let weights = [("weights", weights(&[("A", 1), ("B", 3)]))];
    let config = Config::new(balancer("maglev"), locality("locality-weighted", &weights));
    let mut stand = Stand::new(&config, &ALONE, &in_zones(&[("A", 2), ("B", 2), ("C", 2)]), &[]);
    let mut counts = BTreeMap::new();
    for key in 0..20_000_u64 {
        let about = Call::about(Subject::Hash(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let picked = stand.pick_of(&about, &[]).0.expect("somebody is there");
        *counts.entry(stand.hosts[picked as usize].zone).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["A", "B"]);
    assert!(counts["A"].abs_diff(5_000) < 200, "{counts:?}");
}

/// round_robin_lb_test.cc at 0d2acde, `SlowStartMinWeightPercent35` and the tests with an aggression.
#[test]
fn a_new_host_warms_up() {
    let window = Duration::from_secs(60);
    let cases: [(SlowStart, u64, &[u32]); 2] = [
        (SlowStart { window, aggression: 1.0, least: 0.35 }, 12, &[0, 0, 1, 0, 0, 0, 1]),
        (SlowStart { window, aggression: 2.0, least: 0.1 }, 6, &[0, 0, 0, 1]),
    ];
    for (slow_start, after, expected) in cases {
        let mut config = Config::new(balancer("weighted-round-robin"), locality("none", &[]));
        config.slow_start = Some(slow_start);
        let mut stand = Stand::new(&config, &ALONE, &[WELL; 3], &[0]);
        stand.list([0, 2]);
        stand.now += Duration::from_secs(100);
        stand.list([0, 1, 2]);
        stand.now += Duration::from_secs(after);
        // Its schedulers are made anew when a host leaves.
        stand.list([0, 1]);
        assert_eq!(stand.picks(expected.len()), expected, "{slow_start:?}");
        stand.now += window;
        stand.list([0, 1, 2]);
        stand.list([0, 1]);
        let picked = stand.picks(100);
        assert_eq!(picked.iter().filter(|&&it| it == 1).count(), 50, "it is warm");
    }
}

/// slow_start.rst: with health checks it counts from when a host has become healthy.
#[test]
fn a_host_that_becomes_healthy_warms_up_and_all_at_once_show_nothing() {
    let mut config = Config::new(balancer("weighted-round-robin"), locality("none", &[]));
    config.slow_start = Some(SlowStart::over(Duration::from_secs(60)));
    let mut stand = Stand::new(&config, &ALONE, &[WELL; 3], &[0]);
    let first = |picked: Vec<u32>| picked.into_iter().filter(|&it| it == 0).count();
    assert_eq!(first(stand.picks(99)), 33, "all are new alike");
    stand.now += Duration::from_secs(60);
    stand.stands(0, Standing::Unhealthy);
    assert_eq!(first(stand.picks(100)), 0);
    stand.stands(0, Standing::Healthy);
    assert_eq!(first(stand.picks(210)), 10, "a tenth of its weight, beside two whole ones");
}

/// grpc/proposal A68 at 1fd061a, computed with PyPI xxhash.
#[test]
fn random_subsets_are_grpcs() {
    let names = || (0..10).map(|number| format!("10.0.0.{number}:443")).collect::<Vec<_>>();
    for (seed, expected, after) in [(0, [2, 9, 5, 1], [9, 5, 1, 7]), (42, [9, 4, 5, 8], [4, 5, 8, 3])] {
        let mut config = Config::new(balancer("round-robin"), locality("none", &[]));
        config.subset = subset::Config::Random { size: 4 };
        // The subset's seed is drawn before the start of the turns.
        let mut stand = Stand::named(&config, &ALONE, &[WELL; 10], names(), &[seed, 0]);
        assert_eq!(stand.picks(4), expected);
        stand.list((0..10).filter(|ordinal| *ordinal != expected[0]));
        let (picked, after) = (stand.picks(4), BTreeSet::from(after));
        assert_eq!(picked.into_iter().collect::<BTreeSet<_>>(), after);
        stand.list([1, 2, 3]);
        assert_eq!(stand.picks(3).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2, 3]));
    }
}

/// envoyproxy/envoy docs subsets.rst at 259fc3b.
#[test]
fn subsets_by_labels_are_envoys() {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let labels = |of: &[(&str, &str)]| of.iter().map(pair).collect::<Vec<_>>();
    let hosts = [
        labels(&[("v", "1.0"), ("stage", "prod")]),
        labels(&[("v", "1.0"), ("stage", "prod")]),
        labels(&[("v", "1.1"), ("stage", "canary")]),
        labels(&[("v", "1.2-pre"), ("stage", "dev")]),
    ];
    type Criteria<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Criteria<'_>, &[u32]); 6] = [
        (&[("stage", "canary")], &[2]),
        (&[("v", "1.2-pre"), ("stage", "dev")], &[3]),
        (&[("v", "1.0")], &[0, 1]),
        (&[("other", "x")], &[0, 1]),
        (&[], &[0, 1]),
        (&[("stage", "test")], &[]),
    ];
    let selector = |keys: &[&str], fallback| Selector {
        keys: keys.iter().map(|it| (*it).to_owned()).collect(),
        fallback,
    };
    for (wanted, expected) in cases {
        let mut config = Config::new(balancer("round-robin"), locality("none", &[]));
        config.subset = subset::Config::Labels(Labels {
            wanted: labels(wanted),
            selectors: vec![
                selector(&["v", "stage"], None),
                selector(&["stage"], Some(Fallback::NoFallback)),
            ],
            fallback: Fallback::DefaultSubset,
            default: labels(&[("stage", "prod")]),
        });
        let roster = Roster::new((1..5).map(|number| format!("host{number}")).collect());
        let roster = roster.with_labels(hosts.to_vec());
        let district = Arc::new(District { roster, zones: vec!["A".to_owned()], locals: vec![1] });
        let site = Site { seat: Seat { index: 0, peers: 1 }, zone: ZoneId(0), district };
        let dice = &mut Dice::new(Draw::new(1).many());
        let mut picker = Picker::new(&config, &site, dice);
        let endpoint = |ordinal| Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight: 1 };
        let listing = Listing { endpoints: (0..4).map(endpoint).collect(), ..Listing::default() };
        let in_flight = InFlight::default();
        picker.on_listing(Time::START, &Arc::new(listing), &in_flight, dice);
        let call = Call::about(Subject::Nothing);
        let mut pick = |_| picker.pick(Time::START, &in_flight, &call, dice).map(|picked| picked.ordinal);
        let picked: BTreeSet<u32> = (0..8).filter_map(&mut pick).collect();
        assert_eq!(picked.into_iter().collect::<Vec<_>>(), expected, "{wanted:?}");
    }
}

/// Claim B6: weights that are pushed under traffic are heeded at once, and nothing of the old ones goes on.
#[test]
fn weights_that_change_are_heeded_and_leave_nothing_behind() {
    let config = Config::new(balancer("weighted-round-robin"), locality("none", &[]));
    let mut stand = Stand::new(&config, &ALONE, &[WELL; 4], &[0]);
    let of_first = |picked: &[u32]| picked.iter().filter(|&&it| it == 0).count();
    for round in 0..50 {
        stand.hosts[0].weight = 1 + 6 * (round % 2);
        stand.list(0..4);
        let expected = if round % 2 == 0 { 25 } else { 70 };
        let picked = stand.picks(100);
        assert!(of_first(&picked).abs_diff(expected) <= 1, "round {round}: {}", of_first(&picked));
        assert_eq!(stand.picker.due(), None, "nobody waits for anything");
        assert_eq!(stand.picker.kept(), 1, "one balancer, however many weights there were");
    }
}
