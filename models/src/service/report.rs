//! What an instance reports of its load, where a client's balancer wants to know: with each reply, and to probes.
//!
//! Rates and utilization are over the last second in tenths, which is ours: gRFC A51 leaves it to the application, and gRPC's
//! `CallMetricRecorder` takes what it is given. The latency that it expects is Prequal's: Wydrowski et al., NSDI 2024,
//! section 4: the median of recent latencies of requests that met about as many requests in flight as there are now.

use schism_core::{Draw, Duration, NodeId, Time};

use super::{Instance, REPLY_HOP, Work};
use crate::load::Load;
use crate::node::{Ctx, Message, Reply};
use crate::sliding::Sliding;

/// How far back rates are counted.
const WINDOW: Duration = Duration::from_secs(1);
const SLOTS: usize = 10;
/// How many latencies are remembered, and how many at least the median is of, if there are so many. The paper says neither.
const REMEMBERED: usize = 32;
const LEAST: usize = 5;

/// What an instance has counted.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    window: Sliding<Tally, SLOTS>,
    /// How many are being served, and since when as many.
    busy: u32,
    since: Time,
    latencies: Latencies,
}

/// What an instance notes of a request by its own clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note {
    /// When it came.
    pub(super) came: Time,
    /// When its service began.
    pub(super) began: Time,
    /// How many requests it found in flight.
    pub(super) found: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    answered: u32,
    failed: u32,
    busy_ns: u64,
}

impl Instance {
    /// A client asks how loaded it is.
    pub fn on_load_probe(&mut self, ctx: &mut Ctx<'_>, client: NodeId, ordinal: u32, luck: Draw) {
        let load = Box::new(self.load(ctx, Duration::ZERO));
        ctx.send_with(client, Message::LoadProbed { ordinal, load }, luck.derive(REPLY_HOP));
    }

    /// How loaded it is, having served something for so long.
    fn load(&mut self, ctx: &Ctx<'_>, service: Duration) -> Load {
        let (in_flight, queued) = (self.in_flight(), self.waiting.len() as u32);
        match &mut self.reporter {
            Some(reporter) => reporter.load(ctx.now(), self.post.config.slots, in_flight, queued, service),
            None => Load { in_flight, queued, ..Load::default() },
        }
    }

    /// The report that goes with an answer.
    pub(super) fn report(&mut self, ctx: &Ctx<'_>, work: Work, reply: Reply) -> Option<Box<Load>> {
        let (now, reporter) = (ctx.now(), self.reporter.as_mut()?);
        reporter.on_answer(now, work.note, reply);
        let service = match reply {
            Reply::Done => now.since(work.note.began),
            Reply::Full | Reply::Failed => Duration::ZERO,
        };
        Some(Box::new(self.load(ctx, service)))
    }

    /// What is taken and not answered.
    fn in_flight(&self) -> u32 {
        self.busy + (self.waiting.len() + self.failing.len() + self.late.len()) as u32
    }

    /// What is noted of a request that comes.
    #[inline]
    pub(super) fn note(&self, ctx: &Ctx<'_>) -> Note {
        match self.reporter {
            Some(_) => Note { came: ctx.now(), began: ctx.now(), found: self.in_flight() },
            None => Note::default(),
        }
    }

    /// The number of slots at work has changed.
    #[inline]
    pub(super) fn tell_busy(&mut self, ctx: &Ctx<'_>) {
        if let Some(reporter) = &mut self.reporter {
            reporter.on_busy(ctx.now(), self.busy);
        }
    }
}

impl Reporter {
    pub(super) fn new(now: Time) -> Reporter {
        let latencies = Latencies { came: Vec::with_capacity(REMEMBERED), next: 0 };
        Reporter { window: Sliding::new(WINDOW), busy: 0, since: now, latencies }
    }

    /// So many are being served from now on.
    pub(super) fn on_busy(&mut self, now: Time, busy: u32) {
        self.settle(now);
        self.busy = busy;
    }

    /// A request is answered now. What was refused or has failed tells nothing of how long work takes.
    pub(super) fn on_answer(&mut self, now: Time, note: Note, reply: Reply) {
        let tally = self.window.now(now);
        tally.answered += 1;
        match reply {
            Reply::Done => self.latencies.note(note.found, now.since(note.came)),
            Reply::Full | Reply::Failed => tally.failed += 1,
        }
    }

    /// The report, of an instance with so many slots and requests in flight.
    pub(super) fn load(
        &mut self,
        now: Time,
        slots: u32,
        in_flight: u32,
        queued: u32,
        service: Duration,
    ) -> Load {
        self.settle(now);
        let covered = self.window.covers(now).as_secs_f64();
        let sum = self.window.recent(now).fold(Tally::default(), |sum, slot| Tally {
            answered: sum.answered + slot.answered,
            failed: sum.failed + slot.failed,
            busy_ns: sum.busy_ns + slot.busy_ns,
        });
        let rate = |count: f64| if covered > 0.0 { count / covered } else { 0.0 };
        Load {
            in_flight,
            queued,
            service,
            latency: self.latencies.at(in_flight),
            qps: rate(sum.answered.into()),
            eps: rate(sum.failed.into()),
            // Without a bound on slots there is no telling what part of them is used: it reports none.
            utilization: if slots == 0 { 0.0 } else { rate(sum.busy_ns as f64 / 1e9) / f64::from(slots) },
        }
    }

    /// Counts the time served since the last change, slot by slot of the window.
    fn settle(&mut self, now: Time) {
        let each = WINDOW.as_nanos() / SLOTS as u64;
        let mut at = self.since.max(now - WINDOW);
        while self.busy > 0 && at < now {
            let next = Time::from_nanos((at.as_nanos() / each + 1) * each).min(now);
            self.window.now(at).busy_ns += next.since(at).as_nanos() * u64::from(self.busy);
            at = next;
        }
        self.since = now;
    }
}

/// The latencies of the last requests, each with how many it found in flight.
#[derive(Clone, Debug)]
struct Latencies {
    came: Vec<(u32, Duration)>,
    next: usize,
}

impl Latencies {
    fn note(&mut self, found: u32, latency: Duration) {
        if self.came.len() < REMEMBERED {
            self.came.push((found, latency));
        } else {
            self.came[self.next] = (found, latency);
            self.next = (self.next + 1) % REMEMBERED;
        }
    }

    /// The median of those that found about as many: as many if there are enough of those, or else so few more or less that
    /// there are. Of an even number it is the greater of the two in the middle; of none it is nothing.
    fn at(&self, in_flight: u32) -> Duration {
        let mut near = [(0, Duration::ZERO); REMEMBERED];
        let near = &mut near[..self.came.len()];
        for (near, &(found, latency)) in near.iter_mut().zip(&self.came) {
            *near = (found.abs_diff(in_flight), latency);
        }
        let Some(last) = near.len().checked_sub(1) else { return Duration::ZERO };
        let (_, &mut (reach, _), _) = near.select_nth_unstable(last.min(LEAST - 1));
        let mut latencies = [Duration::ZERO; REMEMBERED];
        let mut count = 0;
        for &(_, latency) in near.iter().filter(|&&(distance, _)| distance <= reach) {
            latencies[count] = latency;
            count += 1;
        }
        *latencies[..count].select_nth_unstable(count / 2).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn ms(millis: u64) -> Time {
        Time::START + MS(millis)
    }

    #[track_caller]
    fn same(have: f64, want: f64) {
        assert!((have - want).abs() < 1e-9, "{have} is not {want}");
    }

    #[test]
    fn rates_are_of_the_last_second() {
        let mut reporter = Reporter::new(ms(0));
        for tenth in 0..30 {
            let reply = if tenth % 5 == 0 { Reply::Failed } else { Reply::Done };
            reporter.on_answer(ms(tenth * 100 + 50), Note::default(), reply);
        }
        let load = reporter.load(ms(2_999), 1, 0, 0, Duration::ZERO);
        same(load.qps, 10.0 / 0.999);
        same(load.eps, 2.0 / 0.999);
        let load = reporter.load(ms(9_000), 1, 0, 0, Duration::ZERO);
        same(load.qps, 0.0);
    }

    #[test]
    fn a_young_instance_counts_since_it_began() {
        let mut reporter = Reporter::new(ms(0));
        reporter.on_answer(ms(100), Note::default(), Reply::Done);
        same(reporter.load(ms(250), 1, 0, 0, Duration::ZERO).qps, 4.0);
    }

    #[test]
    fn utilization_is_the_part_of_the_slots_time_that_was_served_in() {
        let mut reporter = Reporter::new(ms(0));
        reporter.on_busy(ms(1_000), 2);
        reporter.on_busy(ms(1_500), 1);
        // 0.5 s with two of four, and 0.4 s with one.
        same(reporter.load(ms(1_900), 4, 1, 0, Duration::ZERO).utilization, 1.4 / 4.0 / 0.9);
        // One request that goes on for long is seen all the time.
        same(reporter.load(ms(7_950), 4, 1, 0, Duration::ZERO).utilization, 0.25);
        same(reporter.load(ms(7_950), 0, 1, 0, Duration::ZERO).utilization, 0.0);
    }

    #[test]
    fn the_latency_is_the_median_of_those_that_found_as_many() {
        let mut reporter = Reporter::new(ms(0));
        assert_eq!(reporter.load(ms(0), 1, 3, 0, Duration::ZERO).latency, Duration::ZERO);
        let mut answer = |found, latency| {
            let note = Note { came: ms(1_000) - MS(latency), began: ms(0), found };
            reporter.on_answer(ms(1_000), note, Reply::Done);
        };
        for latency in [9, 1, 5, 7, 3] {
            answer(2, latency);
        }
        for latency in [90, 10, 50, 70, 30, 40] {
            answer(8, latency);
        }
        let mut at = |in_flight| reporter.load(ms(1_000), 1, in_flight, 0, Duration::ZERO).latency;
        assert_eq!(at(2), MS(5));
        assert_eq!(at(0), MS(5));
        assert_eq!(at(8), MS(50), "of six the greater in the middle");
        assert_eq!(at(100), MS(50));
        assert_eq!(at(5), MS(10), "both are as near");
    }

    #[test]
    fn old_latencies_are_forgotten_and_failures_never_noted() {
        let mut reporter = Reporter::new(ms(0));
        let note = |millis| Note { came: ms(1_000) - MS(millis), ..Note::default() };
        (0..32).for_each(|_| reporter.on_answer(ms(1_000), note(100), Reply::Done));
        (0..99).for_each(|_| reporter.on_answer(ms(1_000), note(1), Reply::Failed));
        assert_eq!(reporter.load(ms(1_000), 1, 0, 0, Duration::ZERO).latency, MS(100));
        (0..32).for_each(|_| reporter.on_answer(ms(1_000), note(2), Reply::Done));
        assert_eq!(reporter.load(ms(1_000), 1, 0, 0, Duration::ZERO).latency, MS(2));
    }
}
