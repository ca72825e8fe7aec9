//! The leader is lost: when leases, reads and writes come back.

use schism_core::{Duration, NodeId, Time};
use schism_models::observation::{Outcome, Write};
use schism_tests::data::Table;
use schism_tests::real::{alike, alike_two};
use schism_tests::runs::{Done, Seen, for_seeds, secs};
use schism_tests::statistics::{ks, summary, uniform};

use super::{MEMBERS, clients, on_loopback};

/// What the three clients that begin with `first` asked of the two members that live on, by when it was offered.
fn at_survivors(seen: &Seen, first: u32, fault: Time) -> Vec<Done> {
    let lost = seen.faults.iter().find(|struck| struck.0 == fault && struck.2.len() == 1);
    let lost = lost.expect("one member was struck").2[0];
    let lives = |by: NodeId| (first..first + MEMBERS).contains(&by.0) && by.0 - first != lost.0;
    let mut done: Vec<Done> =
        seen.done.iter().filter(|done| lives(done.by) && done.offered >= fault).copied().collect();
    done.sort_by_key(|done| (done.offered, done.by));
    done
}

fn succeeded(done: &[Done]) -> impl Iterator<Item = &Done> {
    done.iter().filter(|done| done.outcome == Outcome::Success)
}

/// When a request of these succeeded first, in seconds after the fault.
fn first_success(done: &[Done], fault: Time) -> f64 {
    secs(succeeded(done).map(|done| done.at).min().expect("service comes back"), fault)
}

/// What became of one instance's lease when the leader was lost.
struct Orphan {
    /// From the fault to the first linearizable read.
    read: f64,
    /// Removal less that read less the time to live.
    after_read: f64,
    /// Removal less the end of the time to live, as if the last refresh had been just `wait` before the fault.
    lateness: f64,
}

/// The instance's last refresh is followed by its cut, and `wait` later by the leader's end.
fn lose_leader(how: &str, ttl: f64, wait: f64, seeds: std::ops::Range<u64>) -> Vec<Orphan> {
    let fault_s = 8.0 + wait;
    let rest = format!(
        r#"
        [services.fleet]
        instances = 1
        service   = "1ms"
        {}
        [[fault]]
        at        = "8s"
        partition = {{ split = [["fleet"], ["registry"]] }}
        [[fault]]
        at   = "{fault_s}s"
        {how} = "registry:leader"
        "#,
        clients("reader", "get", 50)
    );
    let scenario = on_loopback("30s", MEMBERS, "3.4", &format!("{ttl}s"), &rest);
    for_seeds(seeds.end - seeds.start, |run| {
        let seen = Seen::of(&scenario, seeds.start + run);
        let fault = seen.faults[1].0;
        let read = first_success(&at_survivors(&seen, MEMBERS + 1, fault), fault);
        let refreshed = seen.renewed.iter().map(|renewed| renewed.0).max().expect("it was renewed");
        let is_removal = |write: &Write| matches!(write, Write::Remove(..));
        let removal = seen.committed.iter().find(|committed| is_removal(&committed.3));
        let removed = removal.expect("the lease runs out").0;
        let held = secs(fault, refreshed);
        Orphan {
            read,
            after_read: secs(removed, fault) - read - ttl,
            lateness: secs(removed, refreshed) - ttl - held + wait,
        }
    })
}

#[test]
fn leases_start_anew_with_a_new_leader_and_an_election_timeout_more() {
    let table = Table::read("etcd_b_leaderloss_expiry_3.4.23");
    // One trial's first read was answered before the leader had stopped: it says nothing of the failover.
    let trials = table.firsts(&["fault", "ttl_s", "trial"]).at_least("first_lin_read_after_fault_s", 0.5);
    for (nth, how, fault) in [(0, "crash", "sigkill"), (2, "pause", "sigstop")] {
        let [five, ten] = [(5.0, 3.0), (10.0, 4.0)].map(|(ttl, wait)| {
            let first = (nth + u64::from(ttl > 5.0)) * 60;
            let real = trials.with("fault", fault).with("ttl_s", &format!("{ttl}"));
            let model = lose_leader(how, ttl, wait, first..first + 60);
            let lateness: Vec<f64> = model.iter().map(|orphan| orphan.lateness).collect();
            alike_two("lateness", &lateness, &real.numbers("lateness_vs_ttl_s"));
            model
        });
        let (reads, after): (Vec<f64>, Vec<f64>) =
            five.iter().chain(&ten).map(|orphan| (orphan.read, orphan.after_read)).unzip();
        let real = trials.with("fault", fault);
        alike_two("the first read", &reads, &real.numbers("first_lin_read_after_fault_s"));
        assert!(after.iter().all(|after| (1.0..1.51).contains(after)), "{}", summary(&after));
        alike("the rest of the time", ks(&after, uniform(1.0, 1.5)), &after, "U(1, 1.5)");
        alike_two("the rest of the time", &after, &real.numbers("removal_minus_(fault+first_read+ttl)_s"));
    }
}

/// How reads and writes fared at the members that lived on when the leader was killed.
struct Failover {
    fault: Time,
    reads: Vec<Done>,
    writes: Vec<Done>,
}

fn failovers() -> Vec<Failover> {
    let rest = format!(
        "{}{}\n[[fault]]\nbetween = [\"3s\", \"3.5s\"]\ncrash = \"registry:leader\"\n",
        clients("reader", "get", 50),
        clients("writer", "put", 50)
    );
    let scenario = on_loopback("12s", MEMBERS, "3.4", "10s", &rest);
    for_seeds(200, |seed| {
        let seen = Seen::of(&scenario, seed);
        let fault = seen.fault_at();
        let [reads, writes] = [3, 6].map(|first| at_survivors(&seen, first, fault));
        Failover { fault, reads, writes }
    })
}

impl Failover {
    /// The first of these that was sent no sooner than 5 ms after the kill.
    fn after_the_kill<'a>(&self, done: &'a [Done]) -> &'a Done {
        let sent = self.fault + Duration::from_millis(5);
        done.iter().find(|done| done.offered >= sent).expect("requests go on")
    }

    /// When a poll with deadlines of 200 ms would have seen its first write succeed. What was sent while the dead
    /// leader was still believed in is lost, so it is the first poll to begin after that; the real ones began every
    /// 0.213 s, by their own figures.
    fn polled_write(&self) -> f64 {
        let accepted = succeeded(&self.writes).map(|done| done.offered).min().expect("writes come back");
        0.213 * libm::ceil(secs(accepted, self.fault) / 0.213)
    }
}

#[test]
fn reads_and_writes_come_back_when_real_ones_do() {
    let real = Table::read("etcd_c_failover_3.4.23");
    let runs = failovers();
    let read: Vec<f64> = runs.iter().map(|run| first_success(&run.reads, run.fault)).collect();
    alike_two("a polled read", &read, &real.numbers("poll_read_F0_s"));
    let read: Vec<f64> = runs.iter().map(|run| run.after_the_kill(&run.reads).took_s()).collect();
    alike_two("a read in flight", &read, &real.numbers("single_long_read_s"));
    let write: Vec<f64> = runs.iter().map(Failover::polled_write).collect();
    // Two figures of one slot are the same figure.
    let slot = |at: &f64| 0.213 * libm::round(at / 0.213);
    let real: Vec<f64> = real.numbers("poll_write_F0_s").iter().map(slot).collect();
    alike_two("a polled write", &write, &real);
}

#[test]
fn a_write_in_flight_when_the_leader_dies_hangs_for_seven_seconds_and_a_read_does_not() {
    let real = Table::read("etcd_c_failover_3.4.23").numbers("single_long_write_s");
    assert!(real.iter().all(|took| (7.0..7.005).contains(took)));
    for run in failovers() {
        assert_eq!(run.after_the_kill(&run.reads).outcome, Outcome::Success);
        let noticed = run.fault + Duration::from_millis(800);
        let hung: Vec<&Done> = run.writes.iter().filter(|done| done.outcome != Outcome::Success).collect();
        let at_once = run.writes.iter().filter(|done| done.offered < noticed);
        assert!(at_once.clone().count() > 50 && at_once.clone().all(|done| hung.contains(&done)));
        for done in hung {
            assert_eq!(done.outcome, Outcome::Rejected);
            assert!((7.0..7.005).contains(&done.took_s()), "{}", done.took_s());
        }
    }
}
