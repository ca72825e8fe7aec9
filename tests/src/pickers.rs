//! Pickers driven by hand: every balancer of the catalog in every flavour, over endpoints that a test makes up.

use std::sync::Arc;

use schism_core::{Draw, Duration, NodeId, Time, ZoneId};
use schism_models::balancer::{self, Call, Seat};
use schism_models::dice::Dice;
use schism_models::keys::Subject;
use schism_models::listing::{Endpoint, InFlight, Listing, Roster};
use schism_models::load::{Feedback, Load};
use schism_models::locality;
use schism_models::observation::Outcome;
use schism_models::options::{Kind, Nothing, Value};
use schism_models::picker::{Config, District, Picker, Site};

/// Every balancer of the catalog: as it is by default, and with each word of each option that has some.
pub fn every_balancer() -> Vec<balancer::Config> {
    let mut all = Vec::new();
    for entry in balancer::CATALOG {
        let default = balancer::Config::read(entry.name, &mut |knob| (knob.default)());
        all.extend(default);
        for knob in entry.knobs {
            let values: Vec<Value> = match knob.kind {
                Kind::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
                Kind::Flag => vec![Value::Flag(false), Value::Flag(true)],
                Kind::PercentOr(..) => vec![Value::Count(125)],
                Kind::TimeOr(_) => vec![Value::Time(Duration::from_millis(100))],
                Kind::Count(..)
                | Kind::CountOr(..)
                | Kind::Number(..)
                | Kind::NumberOr(..)
                | Kind::Time
                | Kind::Share
                | Kind::Percent(..)
                | Kind::Words(_)
                | Kind::Text
                | Kind::Names
                | Kind::Lists
                | Kind::Table(..) => Vec::new(),
            };
            for value in values {
                let config = balancer::Config::read(entry.name, &mut |other| {
                    if other.name == knob.name { value.clone() } else { (other.default)() }
                });
                all.extend(config.filter(|config| config.check().is_ok() && !all.contains(config)));
            }
        }
    }
    all
}

/// A balancer with its options that are not the default, for messages.
pub fn shown(config: &balancer::Config) -> String {
    let entry = balancer::CATALOG.iter().find(|entry| entry.name == config.name());
    let knobs = entry.map_or(&[][..], |entry| entry.knobs);
    let changed = knobs.iter().zip(config.values()).filter(|(knob, value)| (knob.default)() != *value);
    let changed: Vec<String> = changed.map(|(knob, value)| format!("{} = {value:?}", knob.name)).collect();
    format!("{} {}", config.name(), changed.join(", ")).trim_end().to_owned()
}

/// One client's picker, with its requests in flight, its clock and its luck.
#[derive(Clone, Debug)]
pub struct Rig {
    picker: Picker,
    in_flight: InFlight,
    now: Time,
    luck: Draw,
    drawn: u64,
}

impl Rig {
    /// A picker with this balancer, for instances `orders-0` to `orders-N`.
    pub fn new(balancer: &balancer::Config, instances: u32, seed: u64) -> Rig {
        let config = Config::new(balancer.clone(), locality::Config::None(Nothing));
        let roster = Roster::new((0..instances).map(|number| format!("orders-{number}")).collect());
        let district = Arc::new(District { roster, zones: vec!["a".into()], locals: vec![1] });
        let site = Site { seat: Seat { index: 0, peers: 1 }, zone: ZoneId(0), district };
        let luck = Draw::new(seed);
        let picker = Picker::new(&config, &site, &mut Dice::new(luck.derive(0).many()));
        Rig { picker, in_flight: InFlight::default(), now: Time::START, luck, drawn: 1 }
    }

    /// The same, with all of them listed with weight 1.
    pub fn full(balancer: &balancer::Config, instances: u32, seed: u64) -> Rig {
        let mut rig = Rig::new(balancer, instances, seed);
        rig.list((0..instances).map(|number| (number, 1)));
        rig
    }

    fn dice(&mut self) -> Dice<'static> {
        self.drawn += 1;
        Dice::new(self.luck.derive(self.drawn).many())
    }

    /// The list is now this one: ordinals and weights.
    pub fn list(&mut self, listed: impl IntoIterator<Item = (u32, u32)>) {
        let endpoint =
            |(ordinal, weight)| Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight };
        let endpoints: Vec<Endpoint> = listed.into_iter().map(endpoint).collect();
        let listing = Arc::new(Listing { endpoints, ..Listing::default() });
        let mut dice = self.dice();
        self.picker.on_listing(self.now, &listing, &self.in_flight, &mut dice);
    }

    /// Whom a request about this key goes to, by ordinal; it is in flight from now on.
    pub fn send(&mut self, key: u64) -> Option<u32> {
        let mut dice = self.dice();
        let call = Call::about(Subject::Key(key));
        let picked = self.picker.pick(self.now, &self.in_flight, &call, &mut dice)?.ordinal;
        self.in_flight.add(picked);
        self.answer_probes();
        Some(picked)
    }

    /// A request to an instance ends.
    pub fn end(&mut self, ordinal: u32, latency: Duration, outcome: Outcome) {
        self.in_flight.remove(ordinal);
        self.picker.on_reply(self.now, ordinal, &Feedback { latency, outcome, load: None });
    }

    /// Time passes.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.picker.due().filter(|&due| due <= end) {
            self.now = self.now.max(due);
            let mut dice = self.dice();
            self.picker.on_due(self.now, &self.in_flight, &mut dice);
            self.answer_probes();
        }
        self.now = end;
    }

    /// Whoever is asked for its load says that it takes about a millisecond.
    fn answer_probes(&mut self) {
        while let Some(probed) = self.picker.next_probe() {
            let latency = Duration::from_nanos(1_000_000 + self.dice().word() % 100_000);
            let load = Load { in_flight: self.in_flight.to(probed.ordinal), latency, ..Load::default() };
            self.picker.on_probed(self.now, probed.ordinal, &load);
        }
    }
}
