//! What one pick costs, for every balancer of the catalog at 10 to 10,000 endpoints, and what an update costs.
//!
//! Each picks with 64 of its client's requests in flight, spread over the endpoints, and a key of its own for each
//! request; the client's clock moves by a microsecond from pick to pick. Nothing ends meanwhile.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use schism_core::{Draw, NodeId, Time, ZoneId};
use schism_models::balancer::{self, Call, Seat};
use schism_models::dice::Dice;
use schism_models::keys::Subject;
use schism_models::listing::{Endpoint, InFlight, Listing, Roster};
use schism_models::load::Load;
use schism_models::picker::{Config, District, Picker, Site};

const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
const IN_FLIGHT: u32 = 64;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20)
        .configure_from_args();
    for (what, act) in [("pick", pick as fn(&mut BenchmarkGroup<'_, WallTime>, _, _)), ("update", update)] {
        for entry in balancer::CATALOG {
            let mut group = criterion.benchmark_group(format!("{what}/{}", entry.name));
            SIZES.iter().for_each(|&size| act(&mut group, entry.name, size));
        }
    }
    criterion.final_summary();
}

/// A picker with this balancer, by default.
fn picker(name: &str, size: u32) -> Picker {
    let read = |name: &str| balancer::Config::read(name, &mut |knob| (knob.default)());
    let balancer = read(name).expect("it is in the catalog");
    let roster = Roster::new((0..size).map(|number| format!("orders-{number}")).collect());
    let district = Arc::new(District { roster, zones: vec!["a".into()], locals: vec![1] });
    let site = Site { seat: Seat { index: 0, peers: 1 }, zone: ZoneId(0), district };
    let config = Config { balancer, ..Config::default() };
    Picker::new(&config, &site, &mut Dice::new(Draw::new(1).many()))
}

fn listing(size: u32) -> Arc<Listing> {
    let weight = |ordinal| 1 + ordinal % 5;
    let endpoint =
        |ordinal| Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight: weight(ordinal) };
    Arc::new(Listing { endpoints: (0..size).map(endpoint).collect(), ..Listing::default() })
}

fn pick(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, size: u32) {
    let mut picker = picker(name, size);
    let mut in_flight = InFlight::default();
    (0..IN_FLIGHT).for_each(|number| in_flight.add(number * 7 % size));
    picker.on_listing(Time::START, &listing(size), &in_flight, &mut Dice::new(Draw::new(2).many()));
    let (mut number, mut luck) = (0_u64, Draw::new(3).many());
    group.bench_function(BenchmarkId::from_parameter(size), |b| {
        b.iter(|| {
            number += 1;
            let now = Time::START + schism_core::Duration::from_nanos(number * 1_000);
            let call = Call::about(Subject::Key(number));
            let picked = picker.pick(now, &in_flight, &call, &mut Dice::new(luck.draw().many()));
            while let Some(probed) = picker.next_probe() {
                picker.on_probed(now, probed.ordinal, black_box(&Load::default()));
            }
            picked
        });
    });
}

/// Two lists in turn, one of which lacks an endpoint in the middle.
fn update(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, size: u32) {
    let mut picker = picker(name, size);
    let full = listing(size);
    let mut less = Listing::clone(&full);
    less.endpoints.remove(size as usize / 2);
    let mut lists = [full, Arc::new(less)];
    let (in_flight, mut luck) = (InFlight::default(), Draw::new(3).many());
    group.bench_function(BenchmarkId::from_parameter(size), |b| {
        b.iter(|| {
            lists.swap(0, 1);
            picker.on_listing(Time::START, &lists[0], &in_flight, &mut Dice::new(luck.draw().many()));
        });
    });
}
