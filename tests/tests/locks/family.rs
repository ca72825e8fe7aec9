//! The shipped family in which two come to hold one lock: now and then, and not often.

use schism_core::Seed;
use schism_runner::ledger::Listed;
use schism_runner::report::Verdict;
use schism_tests::repository::{read, root};
use schism_tests::runs::for_seeds;

#[test]
fn some_seeds_in_a_hundred_have_two_holders_and_the_rest_have_not() {
    let path = root().join("scenarios/locks/double-holder.toml");
    let loaded = schism_scenario::load("double-holder.toml", read(&path), &[]);
    let family = loaded.unwrap_or_else(|errors| panic!("{errors}")).family;
    let verdicts = for_seeds(400, |seed| {
        let scenario = family.member(Seed(seed)).unwrap_or_else(|errors| panic!("{errors}"));
        let report = schism_runner::run(&scenario, Seed(seed), Listed::Wrong);
        let held = report.expect.iter().find(|expectation| expectation.id == "always-single-holder");
        held.expect("it asks for a single holder").verdict
    });
    let count = |verdict: Verdict| verdicts.iter().filter(|found| **found == verdict).count();
    let (fails, vacuous) = (count(Verdict::Fails), count(Verdict::Vacuous));
    assert_eq!(vacuous, 0, "somebody always holds the lock");
    assert!((2..=40).contains(&fails), "{fails} of 400");
}
