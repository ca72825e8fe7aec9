//! Beliefs: who was wrong about whom, from when to when.
//!
//! A belief and the truth are compared for every observer and instance, but only where they differ is anything kept
//! beside two bits: ten thousand clients of a thousand instances are ten million pairs.

use schism_core::{Duration, NodeId, Status, Time};
use schism_models::listing::ServiceId;
use schism_models::oracle::{Cast, Change, Opinion, Role};

use super::intervals::{Interval, Intervals};

/// Which beliefs a report lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// Those that were wrong.
    #[default]
    Wrong,
    /// The true ones too.
    All,
}

/// Everyone's opinion of everyone, held against the truth.
#[derive(Clone)]
pub(crate) struct Beliefs {
    listed: Listed,
    /// The observers, and by node their place among them.
    observers: Vec<NodeId>,
    place: Vec<u32>,
    members: u32,
    subjects: Vec<Subject>,
    /// The instances, by their place among the subjects.
    instances: Vec<NodeId>,
    /// By observer and subject: the number of the moment at which the observer changed its mind, where that is since
    /// when the belief has been as it is; 0 where it is the truth that changed last. A row is made when first needed.
    minds: Vec<Vec<u32>>,
    moments: Vec<Time>,
    pub(crate) intervals: Intervals,
    /// The longest time for which a client believed a dead instance to be up; `None` while nobody has died.
    pub(crate) ghost: Option<Duration>,
    /// Whether some client has believed in some instance.
    pub(crate) client_heard: bool,
}

/// One instance, and by observer, as bits, who has heard of it and who believes it to be up.
#[derive(Clone)]
struct Subject {
    known: Vec<u64>,
    up: Vec<u64>,
    is_up: bool,
    /// Since when the truth is as it is.
    since: Time,
    dead_since: Option<Time>,
}

impl Beliefs {
    pub(crate) fn new(cast: &Cast, listed: Listed) -> Beliefs {
        let nodes = (0..cast.nodes() as u32).map(NodeId);
        let (subjects, observers): (Vec<NodeId>, Vec<NodeId>) = nodes
            .filter(|&node| cast.role(node) != Role::Aide)
            .partition(|&node| matches!(cast.role(node), Role::Instance(..)));
        let mut place = vec![u32::MAX; cast.nodes()];
        subjects.iter().zip(0..).for_each(|(node, number)| place[node.index()] = number);
        observers.iter().zip(0..).for_each(|(node, number)| place[node.index()] = number);
        let words = observers.len().div_ceil(64);
        let subject = Subject {
            known: vec![0; words],
            up: vec![0; words],
            is_up: true,
            since: Time::START,
            dead_since: None,
        };
        Beliefs {
            listed,
            minds: vec![Vec::new(); observers.len()],
            observers,
            place,
            members: cast.members(),
            subjects: vec![subject; subjects.len()],
            instances: subjects,
            moments: vec![Time::START],
            intervals: Intervals::new(cast),
            ghost: None,
            client_heard: false,
        }
    }

    /// An observer has changed its mind.
    pub(crate) fn on_change(&mut self, cast: &Cast, now: Time, change: &Change) {
        match *change {
            Change::Turns { observer, service, place, from, to } => {
                let subject = self.subject(cast, service, place);
                self.turn(now, self.place[observer.index()] as usize, subject, from, to);
            }
            Change::Takes(..) | Change::Drops(..) => {}
        }
    }

    /// A process has changed its state.
    pub(crate) fn on_status(&mut self, cast: &Cast, now: Time, node: NodeId, status: Status) {
        let Role::Instance(..) = cast.role(node) else { return };
        let index = self.place[node.index()] as usize;
        let is_up = status == Status::Up;
        if is_up != self.subjects[index].is_up {
            self.close_all(now, index);
        }
        let subject = &mut self.subjects[index];
        if is_up != subject.is_up {
            subject.is_up = is_up;
            subject.since = now;
        }
        subject.dead_since = match status {
            Status::Down => subject.dead_since.or(Some(now)),
            Status::Up | Status::Paused => None,
        };
        if status == Status::Down {
            self.ghost = self.ghost.or(Some(Duration::ZERO));
        }
    }

    /// The run is over: what is still believed goes on beyond it.
    pub(crate) fn end(&mut self, end: Time) {
        for subject in 0..self.subjects.len() {
            self.each_known(subject, |beliefs, observer| {
                if let Some(interval) = beliefs.interval(end, observer, subject) {
                    beliefs.intervals.keep(Interval { to: None, ..interval }, end);
                }
            });
        }
    }

    fn subject(&self, cast: &Cast, service: ServiceId, place: u32) -> usize {
        self.place[cast.instance(service, place).index()] as usize
    }

    fn turn(&mut self, now: Time, observer: usize, subject: usize, from: Opinion, to: Opinion) {
        if from != Opinion::None {
            self.close(now, observer, subject);
        }
        let (word, bit) = (observer / 64, 1 << (observer % 64));
        let Subject { known, up, is_up, .. } = &mut self.subjects[subject];
        let (knows, thinks) = (to != Opinion::None, to == Opinion::Up);
        known[word] = if knows { known[word] | bit } else { known[word] & !bit };
        up[word] = if thinks { up[word] | bit } else { up[word] & !bit };
        self.client_heard |= thinks && observer >= self.members as usize;
        if knows && (thinks != *is_up || self.listed == Listed::All) {
            self.mark(now, observer, subject);
        }
    }

    /// Remembers that this belief began now.
    fn mark(&mut self, now: Time, observer: usize, subject: usize) {
        if self.moments.len() == 1 || self.moments.last() != Some(&now) {
            self.moments.push(now);
        }
        let moment = (self.moments.len() - 1) as u32;
        let row = &mut self.minds[observer];
        if row.is_empty() {
            row.resize(self.subjects.len(), 0);
        }
        row[subject] = moment;
    }

    /// What is believed of a subject ends here, because its truth is about to change.
    fn close_all(&mut self, now: Time, subject: usize) {
        self.each_known(subject, |beliefs, observer| beliefs.close(now, observer, subject));
    }

    fn each_known(&mut self, subject: usize, mut each: impl FnMut(&mut Beliefs, usize)) {
        for word in 0..self.subjects[subject].known.len() {
            let Subject { known, up, is_up, .. } = &self.subjects[subject];
            let wrong = if *is_up { !up[word] } else { up[word] };
            let mut bits = match self.listed {
                Listed::Wrong => known[word] & wrong,
                Listed::All => known[word],
            };
            while bits != 0 {
                each(self, word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    fn close(&mut self, now: Time, observer: usize, subject: usize) {
        if let Some(interval) = self.interval(now, observer, subject) {
            self.intervals.keep(interval, now);
        }
        if let Some(moment) = self.minds[observer].get_mut(subject) {
            *moment = 0;
        }
    }

    /// The belief that ends now, if it is one to be kept and has lasted.
    fn interval(&mut self, now: Time, observer: usize, subject: usize) -> Option<Interval> {
        let Subject { up, is_up, since, dead_since, .. } = &self.subjects[subject];
        let believes_up = up[observer / 64] >> (observer % 64) & 1 == 1;
        let is_true = believes_up == *is_up;
        if is_true && self.listed == Listed::Wrong {
            return None;
        }
        let from = match self.minds[observer].get(subject) {
            None | Some(0) => *since,
            Some(&moment) => self.moments[moment as usize],
        };
        let is_client = observer >= self.members as usize;
        if let Some(died) = dead_since.filter(|_| is_client && believes_up) {
            self.ghost = self.ghost.max(Some(now.since(from.max(died))));
        }
        let (observer, subject) = (self.observers[observer], self.instances[subject]);
        (from < now).then_some(Interval { from, to: Some(now), observer, subject, believes_up, is_true })
    }
}
