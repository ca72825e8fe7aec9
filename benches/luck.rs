//! What luck costs: words, derived draws, samples and the digest, in nanoseconds each.

use criterion::{Criterion, Throughput};
use schism_core::{Digest, Distribution, Draw, Duration, Seed, ratio};
use std::hash::Hasher;
use std::hint::black_box;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    words(&mut criterion);
    samples(&mut criterion);
    digest(&mut criterion);
    criterion.final_summary();
}

fn words(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("luck");
    let mut luck = Seed(1).luck("client-1", "request", 0);
    group.bench_function("draw", |b| b.iter(|| luck.draw()));
    group.bench_function("below 10", |b| b.iter(|| luck.below(black_box(10))));
    group.bench_function("chance of 1%", |b| b.iter(|| luck.chance(black_box(ratio(1, 100)))));
    let mut draw = Draw::new(1);
    group.bench_function("derive, one from the other", |b| {
        b.iter(|| {
            draw = draw.derive(3);
            draw
        });
    });
    group.bench_function("open a stream", |b| b.iter(|| Seed(1).luck(black_box("client-1"), "request", 0)));
    group.bench_function("jump", |b| b.iter(|| Seed(1).draw(black_box("client-1"), "request", 1000)));
}

fn samples(criterion: &mut Criterion) {
    let ms = Duration::from_millis;
    let observed: Vec<Duration> = (1..1000).map(ms).collect();
    let distributions = [
        ("constant", Distribution::constant(ms(5))),
        ("uniform", Distribution::uniform(ms(5), ms(10))),
        ("exponential", Distribution::exponential(ms(5))),
        ("normal", Distribution::normal(ms(5), ms(1))),
        ("lognormal", Distribution::lognormal(ms(5), ms(50))),
        ("pareto", Distribution::pareto(ms(5), 2.5)),
        ("empirical", Distribution::empirical(observed)),
    ];
    // Less the loop and its derived draw, which is measured first.
    let mut group = criterion.benchmark_group("sample");
    let mut label = 0;
    let mut next = move || {
        label += 1;
        Draw::new(9).derive(label)
    };
    group.bench_function("the draw alone", |b| b.iter(&mut next));
    for (name, made) in distributions {
        let distribution = made.expect("a good distribution");
        group.bench_function(name, |b| b.iter(|| black_box(&distribution).sample(next())));
    }
}

fn digest(criterion: &mut Criterion) {
    const WORDS: u64 = 1000;
    let mut group = criterion.benchmark_group("digest");
    group.throughput(Throughput::Elements(WORDS));
    let mut digest = Digest::new();
    group.bench_function("a thousand words", |b| {
        b.iter(|| {
            for word in 0..WORDS {
                digest.fold(black_box(word));
            }
        });
    });
    group.bench_function("a thousand times 8 bytes", |b| {
        b.iter(|| {
            for _ in 0..WORDS {
                digest.write(black_box(b"abcdefgh"));
            }
        });
    });
    group.bench_function("value", |b| b.iter(|| digest.value()));
}
