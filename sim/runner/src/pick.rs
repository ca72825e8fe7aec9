//! One balancer without a network: a script goes in, and who was picked comes out.
//!
//! The balancer is that of a scenario, behind the same picker that every simulated client has: what it draws, learns and
//! remembers here is what it would there.

mod movement;
mod outcome;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use schism_core::{Draws, Duration, Time};
use schism_models::balancer::Call;
use schism_models::dice::Dice;
use schism_models::keys::Subject;
use schism_models::listing::{Endpoint, InFlight, Listing, Roster};
use schism_models::load::Feedback;
use schism_models::locality::Standing;
use schism_models::picker::{District, Picker, Site};
use schism_scenario::pick::{About, Ask, Listed, Many, Op, Reply, Script};

use self::movement::Movement;
pub use self::outcome::{Moved, Outcome};

/// How many picks there are between two words of progress.
const STEP: u32 = 4_096;

/// Does all that the script says, and tells between the steps how much of it is done, from 0 to 1.
pub fn pick(script: &Script, mut on_step: impl FnMut(f64)) -> Outcome {
    let mut session = Session::new(script);
    let works: Vec<u64> = script.ops.iter().map(work).collect();
    let (all, mut done) = (works.iter().sum::<u64>().max(1), 0);
    for (number, (op, work)) in script.ops.iter().zip(works).enumerate() {
        session.execute(number, op, &mut |part| on_step((done as f64 + part * work as f64) / all as f64));
        done += work;
    }
    session.into_outcome()
}

/// How much there is to do, in picks.
fn work(op: &Op) -> u64 {
    match op {
        Op::Picks(many) => many.count.into(),
        Op::Pick(_) | Op::Reply(_) | Op::Done(_) | Op::Advance(_) | Op::Update(_) | Op::Probe(..) => 1,
    }
}

/// One client's picker, and the world as far as it can see.
struct Session<'s> {
    script: &'s Script,
    picker: Picker,
    now: Time,
    in_flight: InFlight,
    /// When those that are in flight were sent, oldest first, by ordinal: how many at which time.
    sent: BTreeMap<u32, VecDeque<(Time, u32)>>,
    listed: Vec<Endpoint>,
    standings: BTreeMap<u32, Standing>,
    randoms: VecDeque<u64>,
    luck: Draws,
    movement: Movement,
    outcome: Outcome,
}

/// The dice of one decision: what is left of the script's words, then luck of its own.
macro_rules! dice {
    ($session:ident) => {
        &mut Dice::scripted(&mut $session.randoms, $session.luck.draw().many())
    };
}

impl<'s> Session<'s> {
    fn new(script: &'s Script) -> Session<'s> {
        let roster = Roster::new(script.names.clone())
            .with_labels(script.labels.clone())
            .with_priorities(script.priorities.clone());
        let district = District { roster, zones: script.zones.clone(), locals: script.client.locals.clone() };
        let site = Site { seat: script.client.seat, zone: script.client.zone, district: Arc::new(district) };
        let mut randoms: VecDeque<u64> = script.randoms.iter().copied().collect();
        let mut luck = script.seed.draw("pick", "dice", 0).many();
        let picker =
            Picker::new(&script.picker, &site, &mut Dice::scripted(&mut randoms, luck.draw().many()));
        let mut session = Session {
            script,
            picker,
            now: Time::START,
            in_flight: InFlight::default(),
            sent: BTreeMap::new(),
            listed: Vec::new(),
            standings: BTreeMap::new(),
            randoms,
            luck,
            movement: Movement::of(script),
            outcome: Outcome::new(script.names.clone()),
        };
        session.hold(&script.endpoints);
        session.probe();
        session
    }

    fn execute(&mut self, number: usize, op: &Op, on_part: &mut dyn FnMut(f64)) {
        match op {
            Op::Pick(ask) => self.on_ask(ask),
            Op::Picks(many) => self.on_many(many, on_part),
            Op::Reply(reply) => self.on_reply(reply),
            Op::Done(ordinal) => drop(self.end(*ordinal)),
            Op::Advance(by) => self.advance(*by),
            Op::Update(list) => self.on_update(number, list),
            Op::Probe(ordinal, load) => self.picker.on_probed(self.now, *ordinal, load),
        }
        self.probe();
    }

    fn on_ask(&mut self, ask: &Ask) {
        self.pick(subject(&ask.about), ask.attempt);
        self.movement.note(ask);
    }

    fn on_many(&mut self, many: &Many, on_part: &mut dyn FnMut(f64)) {
        for number in 0..many.count {
            match &many.keys {
                Some(keys) => self.pick(Subject::Text(&keys.key(number)), many.attempt),
                None => self.pick(Subject::Nothing, many.attempt),
            }
            if number % STEP == 0 {
                on_part(f64::from(number) / f64::from(many.count));
            }
        }
        self.movement.note_many(many);
    }

    /// One request is sent, if there is anybody to send it to.
    fn pick(&mut self, subject: Subject<'_>, attempt: u32) {
        let call = call(self.script, subject, attempt);
        let picked = self.picker.pick(self.now, &self.in_flight, &call, dice!(self));
        self.outcome.picks.push(picked.map(|endpoint| endpoint.ordinal));
        if let Some(endpoint) = picked {
            self.in_flight.add(endpoint.ordinal);
            self.send(endpoint.ordinal, 1);
        }
        self.probe();
    }

    fn send(&mut self, ordinal: u32, count: u32) {
        let sent = self.sent.entry(ordinal).or_default();
        match sent.back_mut() {
            Some((at, there)) if *at == self.now => *there += count,
            Some(_) | None => sent.push_back((self.now, count)),
        }
    }

    /// The oldest request to an endpoint is over. When it was sent, if there was one.
    fn end(&mut self, ordinal: u32) -> Option<Time> {
        let sent = self.sent.get_mut(&ordinal)?;
        let (at, count) = sent.front_mut()?;
        let since = *at;
        *count -= 1;
        if *count == 0 {
            sent.pop_front();
        }
        self.in_flight.remove(ordinal);
        Some(since)
    }

    fn on_reply(&mut self, reply: &Reply) {
        let since = self.end(reply.endpoint).unwrap_or(self.now);
        let latency = reply.latency.unwrap_or(self.now.since(since));
        let feedback = Feedback { latency, outcome: reply.outcome, load: reply.load.as_ref() };
        self.picker.on_reply(self.now, reply.endpoint, &feedback);
    }

    /// Time passes, and the balancer is woken whenever it wanted to be.
    fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some(due) = self.picker.due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.picker.on_due(self.now, &self.in_flight, dice!(self));
            self.probe();
            assert!(self.picker.due().is_none_or(|next| next > self.now), "a timer is set for later");
        }
        self.now = until;
    }

    fn on_update(&mut self, number: usize, list: &[Listed]) {
        let before = self.movement.homes(self.script, &self.picker, self.now, &self.in_flight);
        let old = self.listed.clone();
        self.hold(list);
        let after = self.movement.homes(self.script, &self.picker, self.now, &self.in_flight);
        self.outcome.moved.extend(movement::moved(number, &before, &after, &old, &self.listed));
    }

    /// The client holds this list; the balancer learns of it if anything in it is new.
    fn hold(&mut self, list: &[Listed]) {
        for Listed { endpoint, active, .. } in list {
            if let Some(active) = *active {
                self.in_flight.set(endpoint.ordinal, active);
                self.sent.remove(&endpoint.ordinal);
                if active > 0 {
                    self.send(endpoint.ordinal, active);
                }
            }
        }
        let endpoints: Vec<Endpoint> = list.iter().map(|listed| listed.endpoint).collect();
        let standings = list.iter().map(|listed| (listed.endpoint.ordinal, listed.standing));
        let standings: BTreeMap<u32, Standing> = standings.collect();
        if endpoints == self.listed && standings == self.standings && !endpoints.is_empty() {
            // It is about requests in flight, or it is the same news again.
            if list.iter().all(|listed| listed.active.is_none()) {
                self.picker.refresh(self.now, &self.in_flight, dice!(self));
            }
            return;
        }
        let revision = self.outcome.picks.len() as u64;
        let listing = Arc::new(Listing { revision, endpoints: endpoints.clone(), ..Listing::default() });
        for (ordinal, standing) in &standings {
            self.picker.hear_of(self.now, *ordinal, *standing);
        }
        self.picker.on_listing(self.now, &listing, &self.in_flight, dice!(self));
        (self.listed, self.standings) = (endpoints, standings);
    }

    /// Whoever the balancer wants to ask for its load is asked.
    #[inline]
    fn probe(&mut self) {
        while let Some(endpoint) = self.picker.next_probe() {
            self.outcome.probes.push(endpoint.ordinal);
        }
    }

    fn into_outcome(mut self) -> Outcome {
        self.outcome.randoms_left = self.randoms.len();
        self.outcome.state = self.picker.state(self.now, &self.in_flight);
        self.outcome
    }
}

/// What a request is about.
fn subject(about: &About) -> Subject<'_> {
    match about {
        About::Nothing => Subject::Nothing,
        About::Hash(hash) => Subject::Hash(*hash),
        About::Key(key) => Subject::Text(key),
    }
}

/// A request of the script's client.
fn call<'a>(script: &Script, subject: Subject<'a>, attempt: u32) -> Call<'a> {
    Call::about(subject).attempted(attempt).from_source(script.client.seat.index.into())
}
