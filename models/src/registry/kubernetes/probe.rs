//! Probes: how a kubelet counts what it hears of a container until it believes it.

use schism_core::Duration;

/// How a probe asks, and how often it must be told the same; all in whole seconds and counts, as the interface of
/// Kubernetes has them (pkg/apis/core/types.go, `Probe`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// A container is not probed before it has run for so long: 0 (`initialDelaySeconds`).
    pub initial_delay: Duration,
    /// It is probed every so often: 10 s (`periodSeconds`; pkg/apis/core/v1/defaults.go, `SetDefaults_Probe`).
    pub period: Duration,
    /// An answer that takes longer is a failure: 1 s (`timeoutSeconds`).
    pub timeout: Duration,
    /// So many successes in a row are believed: 1 (`successThreshold`; of liveness it must be 1).
    pub success: u32,
    /// So many failures in a row are: 3 (`failureThreshold`).
    pub failure: u32,
}

impl Spec {
    /// What Kubernetes fills in where a probe says nothing.
    pub const DEFAULT: Spec = Spec {
        initial_delay: Duration::ZERO,
        period: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        success: 1,
        failure: 3,
    };
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Whether the container may be sent requests.
    Readiness,
    /// Whether it must be started anew.
    Liveness,
}

/// What one probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It was answered in time, and well.
    Success,
    /// It was refused, answered with an error, or not in time.
    Failure,
}

/// What has been found in a row (pkg/kubelet/prober/worker.go, v1.28, `doProbe`). It outlives the container: what was
/// found last of the one before counts on.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    kind: Kind,
    spec: Spec,
    last: Option<Finding>,
    run: u32,
    hold: Hold,
}

/// Whether a container that will be started anew is left alone until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Off,
    On,
}

impl Tally {
    /// Nothing has been found yet.
    pub fn new(kind: Kind, spec: Spec) -> Tally {
        Tally { kind, spec, last: None, run: 0, hold: Hold::Off }
    }

    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it asks.
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// Whether the container is probed when the period is over, having run for so long.
    pub fn wants(&self, running: Duration) -> bool {
        self.hold == Hold::Off && running >= self.spec.initial_delay
    }

    /// A container has been started.
    pub fn renew(&mut self) {
        self.hold = Hold::Off;
    }

    /// One more finding: what is to be believed now, if that is settled by it.
    pub fn count(&mut self, finding: Finding) -> Option<Finding> {
        self.run = if self.last == Some(finding) { self.run + 1 } else { 1 };
        self.last = Some(finding);
        let enough = match finding {
            Finding::Success => self.spec.success,
            Finding::Failure => self.spec.failure,
        };
        if self.run < enough {
            return None;
        }
        if (self.kind, finding) == (Kind::Liveness, Finding::Failure) {
            self.hold = Hold::On;
            self.run = 0;
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::Finding::{Failure, Success};
    use super::*;

    fn told(kind: Kind, findings: &[Finding]) -> Vec<Option<Finding>> {
        let mut tally = Tally::new(kind, Spec { success: 2, ..Spec::DEFAULT });
        findings.iter().map(|&finding| tally.count(finding)).collect()
    }

    #[test]
    fn the_last_failure_of_three_in_a_row_is_believed_and_not_the_one_before() {
        assert_eq!(told(Kind::Readiness, &[Failure; 3]), [None, None, Some(Failure)]);
    }

    #[test]
    fn a_success_between_begins_the_count_anew() {
        let findings = [Failure, Failure, Success, Failure, Failure, Failure];
        let believed = told(Kind::Readiness, &findings);
        assert_eq!(believed, [None, None, None, None, None, Some(Failure)]);
    }

    #[test]
    fn successes_are_counted_as_well() {
        assert_eq!(told(Kind::Readiness, &[Success; 3]), [None, Some(Success), Some(Success)]);
    }

    #[test]
    fn what_failed_to_be_alive_is_left_alone_until_it_is_another() {
        let mut tally = Tally::new(Kind::Liveness, Spec::DEFAULT);
        assert_eq!(
            [tally.count(Failure), tally.count(Failure), tally.count(Failure)],
            [None, None, Some(Failure)]
        );
        assert!(!tally.wants(Duration::from_secs(9)));
        tally.renew();
        assert!(tally.wants(Duration::ZERO));
    }

    #[test]
    fn a_young_container_is_not_probed() {
        let spec = Spec { initial_delay: Duration::from_secs(30), ..Spec::DEFAULT };
        let tally = Tally::new(Kind::Readiness, spec);
        let nearly = Duration::from_nanos(29_999_999_999);
        assert_eq!([tally.wants(nearly), tally.wants(Duration::from_secs(30))], [false, true]);
    }
}
