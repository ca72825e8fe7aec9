//! What one event costs in each queue: the hold model, that is one pop and one push while `n` events wait.

#![expect(clippy::disallowed_methods, reason = "the load of a bench may differ between machines")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use schism_core::queue::{Ladder, Queue, Reference};
use schism_core::{Duration, Time, each_queue};

/// Forty-eight bytes with a discriminant somewhere inside, as a real event has.
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "only its size matters here")]
struct Payload {
    to: u32,
    from: u32,
    body: Body,
}

#[derive(Clone, Copy)]
#[expect(dead_code, reason = "only its size matters here")]
enum Body {
    Request([u64; 4]),
    Timer(u64),
}

const _: () = assert!(size_of::<Option<Payload>>() == 48);

/// How long after one event the next is scheduled: a table drawn in advance, so that the loop computes no logarithm.
struct Load {
    name: &'static str,
    increments: Vec<Duration>,
}

/// Marsaglia's xorshift64.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Above zero, up to one.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean_ms: f64) -> f64 {
        -self.unit().ln() * mean_ms
    }

    /// Log-normal with a median, its logarithm a sum of twelve uniforms.
    fn lognormal(&mut self, median_ms: f64) -> f64 {
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median_ms * (0.5 * normal).exp()
    }
}

const DRAWN: usize = 4096;

fn loads() -> [Load; 2] {
    let load = |name, draw: fn(&mut Xorshift) -> f64| {
        let mut luck = Xorshift(0x9e37_79b9_7f4a_7c15);
        let increments = (0..DRAWN).map(|_| Duration::from_secs_f64(draw(&mut luck) / 1e3)).collect();
        Load { name, increments }
    };
    [
        load("exponential", |luck| luck.exponential(1.0)),
        load("mix", |luck| match luck.next() >> 32 & 1023 {
            0..512 => luck.exponential(1.0),
            512..819 => luck.lognormal(0.3),
            _ => 100.0,
        }),
    ]
}

/// One queue in the steady state of one load.
struct Hold<'a, Q> {
    queue: Q,
    load: &'a Load,
    luck: Xorshift,
}

impl<Q: Queue<Payload>> Hold<'_, Q> {
    fn new(load: &Load, pending: usize) -> Hold<'_, Q> {
        let mut hold = Hold { queue: Q::default(), load, luck: Xorshift(88_172_645_463_325_252) };
        for _ in 0..pending {
            let at = Time::START + hold.increment();
            hold.queue.push(at, Payload { to: 1, from: 2, body: Body::Request([3; 4]) });
        }
        (0..20 * pending).for_each(|_| hold.step());
        hold
    }

    fn increment(&mut self) -> Duration {
        self.load.increments[self.luck.next() as usize % DRAWN]
    }

    fn step(&mut self) {
        let (now, event) = self.queue.pop_until(Time::END).expect("as many events wait as ever");
        let at = now + self.increment();
        self.queue.push(at, event);
    }
}

fn queues(criterion: &mut Criterion) {
    for load in loads() {
        let mut group = criterion.benchmark_group(load.name);
        for pending in [1_000, 16_000, 100_000] {
            macro_rules! measure {
                ($name:ident, $queue:ident) => {
                    group.bench_function(BenchmarkId::new(stringify!($name), pending), |bencher| {
                        let mut hold = Hold::<$queue<Payload>>::new(&load, pending);
                        bencher.iter(|| hold.step());
                    });
                };
            }
            each_queue!(measure);
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_millis(700));
    targets = queues
}
criterion_main!(benches);
