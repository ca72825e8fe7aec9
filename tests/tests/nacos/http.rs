//! In 1.4: beats, checks, and whole lists by datagram.

use schism_core::NodeId;
use schism_models::observation::Write;
use schism_tests::runs::{for_seeds, secs};
use schism_tests::statistics::summary;

use super::told::Told;
use super::{CUT, is_removal, is_uniform, nacos};

#[test]
fn without_beats_an_instance_is_unhealthy_and_later_gone_on_a_grid_of_five_seconds() {
    let scenario = nacos("75s", "version = \"1.4\"", 1, CUT);
    let times = for_seeds(120, |seed| {
        let told = Told::of(&scenario, seed);
        let (failed, _) = told.first_after_fault(|write| matches!(write, Write::Fail(_)))[0];
        let (removed, _) = told.first_after_fault(is_removal)[0];
        let heard = told.last_heard(failed);
        (secs(failed, heard) - 15.0, secs(removed, heard) - 30.0)
    });
    let (failed, removed): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
    is_uniform("unhealthy", &failed, 0.0, 5.0);
    is_uniform("deleted", &removed, 0.0, 5.0);
}

/// When another server comes to answer for the service, whose instances it has not heard a beat of for long, a check in
/// the next 5 s deletes whoever has not sent a beat to it by then: of many instances about a half, as both the check and
/// the beats are spread evenly over the same 5 s.
#[test]
fn about_half_of_the_instances_are_deleted_when_another_server_answers_for_them() {
    let crash = "[[fault]]\nbetween = [\"60s\", \"70s\"]\nfor = \"30s\"\ncrash = \"registry-0\"";
    let scenario = nacos("100s", "version = \"1.4\"", 20, crash);
    let shares = for_seeds(40, |seed| {
        let told = Told::of(&scenario, seed);
        let new = NodeId(2);
        let gone = told.wrote.iter().filter(|(at, by, write)| {
            *by == new
                && (0.0..15.0).contains(&secs(*at, told.faults[0]))
                && *at > told.faults[0]
                && is_removal(*write)
        });
        gone.count() as f64 / 20.0
    });
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((0.35..=0.65).contains(&mean), "{}", summary(&shares));
    assert!(shares.iter().any(|&share| share < 0.25) && shares.iter().any(|&share| share > 0.75));
}

#[test]
fn a_client_of_1_4_learns_of_a_failure_by_a_push_after_a_second_unless_a_poll_comes_first() {
    let rest = r#"
        [[fault]]
        at    = "20s"
        for   = "40s"
        crash = "orders-0"
    "#;
    let scenario = nacos("62s", "version = \"1.4\"\nmembers = 1", 3, rest);
    let delays = for_seeds(40, |seed| {
        let told = Told::of(&scenario, seed);
        let (failed, _) = told.first_after_fault(|write| matches!(write, Write::Fail(_)))[0];
        let views = told.views_of(NodeId(4), failed);
        let without = views.iter().find(|(_, view)| view.endpoints.len() == 2).expect("it learns of it").0;
        assert!(without <= 1.001, "{without}");
        without
    });
    assert!(delays.iter().any(|&delay| delay > 0.999), "most are pushed to: {}", summary(&delays));
    assert!(delays.iter().any(|&delay| delay < 0.999), "some have polled: {}", summary(&delays));
}
