//! One seed, one run: twice, forked, on other queues, on more threads, in another profile and process, and without the
//! machine's fused arithmetic.

use std::sync::OnceLock;

use rayon::prelude::*;
use schism_core::queue::{Best, Queue, Reference};
use schism_core::{DigestValue, Event, Seed, Time};
use schism_models::node::Node;
use schism_runner::{Simulation, run_all};
use schism_tests::binary::{self, Profile, schism};
use schism_tests::scenarios::{Case, all, recorded};

type Of<Q> = Simulation<(), Node, Q>;

fn run<Q: Queue<Event<Node>>>(case: &Case, seed: Seed) -> DigestValue {
    let mut simulation: Of<Q> = case.begin(seed, ());
    simulation.run_to_end();
    simulation.digest()
}

/// Every scenario with its own seed, run to its end with nobody watching.
fn plain() -> &'static [DigestValue] {
    static PLAIN: OnceLock<Vec<DigestValue>> = OnceLock::new();
    PLAIN.get_or_init(|| all().par_iter().map(|case| run::<Best<_>>(case, case.scenario.seed)).collect())
}

/// Every scenario run in some way is what it is when run plainly.
fn same(how: &str, run: impl Fn(&Case) -> DigestValue + Sync) {
    let runs: Vec<DigestValue> = all().par_iter().map(&run).collect();
    for ((case, run), plain) in all().iter().zip(runs).zip(plain()) {
        assert_eq!(run, *plain, "{} {how}", case.path);
    }
}

#[test]
fn a_second_run_is_the_first() {
    same("a second time", |case| run::<Best<_>>(case, case.scenario.seed));
}

#[test]
fn the_queue_decides_nothing() {
    same("on the reference queue", |case| run::<Reference<_>>(case, case.scenario.seed));
}

#[test]
fn both_halves_of_a_forked_run_end_alike() {
    same("forked", |case| {
        let mut one: Of<Best<_>> = case.begin(case.scenario.seed, ());
        one.run_until(somewhere(case));
        let mut other = one.clone();
        one.run_to_end();
        other.run_to_end();
        assert_eq!(one.digest(), other.digest(), "{}: the fork and the original", case.path);
        other.digest()
    });
}

/// A moment of the run that is another one in every scenario, and always the same.
fn somewhere(case: &Case) -> Time {
    let draw = case.scenario.seed.luck(&case.path, "fork", 0).draw().unit();
    Time::from_nanos((case.scenario.length.as_nanos() as f64 * draw) as u64)
}

#[test]
fn the_number_of_threads_decides_nothing() {
    let seeds: Vec<Seed> = (0..3).map(Seed).collect();
    let on = |threads: usize, case: &Case| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
        let reports = pool.install(|| run_all(&case.scenario, &seeds));
        reports.into_iter().map(|report| report.digest).collect::<Vec<_>>()
    };
    for case in all().iter().filter(|case| case.nodes() <= SMALL) {
        assert_eq!(on(1, case), on(4, case), "{} on one thread and on four", case.path);
    }
}

/// The scenarios of at most so many nodes are run with several seeds more; the others take too long for that.
const SMALL: usize = 200;

#[test]
fn nobody_who_watches_changes_anything_and_the_record_agrees() {
    let recorded = recorded();
    for (case, plain) in all().iter().zip(plain()) {
        assert_eq!(
            recorded.get(&case.path),
            Some(&plain.to_string()),
            "{} on record and with nobody watching",
            case.path
        );
    }
}

#[test]
fn the_release_build_agrees_with_the_record() {
    agrees_with_the_record("in the release build", &[]);
}

/// glibc chooses its float functions by what the processor can do; without fused multiply-add it takes others, whose
/// last digits differ. None of them may matter.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[test]
fn masking_fused_multiply_add_changes_nothing() {
    let masked = "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4,-AVX2_Usable,-FMA_Usable";
    agrees_with_the_record("without FMA and AVX2", &[("GLIBC_TUNABLES", masked)]);
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
#[test]
#[ignore = "only glibc on x86-64 can be told to leave fused multiply-add alone"]
fn masking_fused_multiply_add_changes_nothing() {}

fn agrees_with_the_record(how: &str, environment: &[(&str, &str)]) {
    let recorded = recorded();
    let digest = |case: &Case| {
        let mut command = schism(Profile::Release);
        command.envs(environment.iter().copied());
        binary::digest(command, &case.path)
    };
    let digests: Vec<String> = all().par_iter().map(digest).collect();
    for (case, digest) in all().iter().zip(digests) {
        assert_eq!(recorded.get(&case.path), Some(&digest), "{} on record and {how}", case.path);
    }
}
