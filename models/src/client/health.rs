//! Active health checks: a client asks every listed instance how it is, again and again, and believes what it hears often
//! enough. Envoy's.
//!
//! Source: health_checker_base_impl.cc of envoyproxy/envoy at 045a5b1 (extensions/health_checkers/common), and for what
//! becomes of updates `ClusterManagerImpl::scheduleUpdate` (cluster_manager_impl.cc). Not modelled: that a host which has
//! left the list stays while its checks pass (Envoy drops it at once only with `ignore_health_on_host_removal`, which is
//! what is done here), degraded answers, and intervals that differ by state (`unhealthy_interval` and its kin; they are
//! `interval` unless configured).

use std::collections::BTreeMap;

use schism_core::{Draws, Duration, NodeId, Time};

use crate::listing::{Endpoint, Listing};
use crate::locality::Standing;
use crate::node::{Ctx, Health, Message, ProbePath, Timer};

use super::connections::Connections;
use super::standings::{Source, Standings};
use super::{Client, OUTWARD_HOP};

/// How instances are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// How long from the end of one check to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many checks in a row must go unanswered before a healthy instance is believed to be ill. An answer that says
    /// that it is ill is believed at once.
    pub unhealthy_threshold: u32,
    /// So many in a row must be answered well before an ill instance is believed to be healthy; of one that was never
    /// checked before, the first.
    pub healthy_threshold: u32,
    /// The interval as long as the client has sent no request: `no_traffic_interval`.
    pub no_traffic_interval: Duration,
    /// The first check comes by so much later at random: `initial_jitter`.
    pub initial_jitter: Duration,
    /// Each interval is by so much longer at random: `interval_jitter`.
    pub interval_jitter: Duration,
    /// Whether instances that were never checked do not count at all, instead of as ill:
    /// `ignore_new_hosts_until_first_hc`.
    pub ignore_new: bool,
    /// Changes that come within so long of the last are heeded together: `update_merge_window`.
    pub update_merge_window: Duration,
    /// Which way a check goes within an instance.
    pub path: ProbePath,
}

/// All checks of one client.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    config: HealthCheck,
    luck: Draws,
    sessions: BTreeMap<NodeId, Session>,
    /// The number of the last check, or wait for one.
    last: u32,
    pub(super) standings: Standings,
    /// How many of the first list have not been checked yet: as long as there are any, Envoy's cluster is warming, and
    /// what is found is heeded all at once.
    unchecked: Option<usize>,
    /// When the picker will be told, if a timer is set for that.
    alarm: Option<Time>,
}

/// What is known of one instance.
#[derive(Clone, Copy, Debug)]
struct Session {
    ordinal: u32,
    state: State,
    /// Whether it was never checked before.
    is_first: bool,
    /// How many checks in a row have gone against what is believed.
    run: u32,
    stage: Stage,
    /// Whether it is of the first list.
    is_old: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Healthy,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until the timer of this number.
    Waits(u32),
    /// For the answer to the check of this number.
    Asked(u32),
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Well,
    /// It says that it is ill.
    Ill,
    /// It has not been reached, or not in time.
    Unreachable,
}

impl Checks {
    pub(super) fn new(config: HealthCheck, luck: Draws) -> Checks {
        let standings = Standings::new(config.update_merge_window);
        Checks { config, luck, sessions: BTreeMap::new(), last: 0, standings, unchecked: None, alarm: None }
    }

    /// Those that owe an answer.
    pub(super) fn peers(&self) -> impl Iterator<Item = NodeId> {
        let asked =
            |(peer, session): (&NodeId, &Session)| matches!(session.stage, Stage::Asked(_)).then_some(*peer);
        self.sessions.iter().filter_map(asked)
    }

    /// Another list: who is new is checked from now on, and who is gone no longer.
    fn on_listing(&mut self, ctx: &mut Ctx<'_>, listing: &Listing) {
        let (sessions, standings) = (&mut self.sessions, &mut self.standings);
        let mut gone = 0;
        sessions.retain(|peer, session| {
            let stays = listing.lists(*peer);
            if !stays {
                standings.forget(session.ordinal);
                gone += usize::from(session.is_old && session.is_first);
            }
            stays
        });
        let is_first = self.unchecked.is_none();
        for endpoint in &listing.endpoints {
            if !self.sessions.contains_key(&endpoint.node) {
                self.begin(ctx, endpoint, is_first);
            }
        }
        self.unchecked = Some(self.unchecked.map_or(self.sessions.len(), |unchecked| unchecked - gone));
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>, endpoint: &Endpoint, is_old: bool) {
        let standing = if self.config.ignore_new { Standing::Excluded } else { Standing::Unhealthy };
        self.standings.hear(Source::HealthCheck, endpoint.ordinal, standing);
        let (state, stage) = (State::Failed, Stage::Waits(0));
        let session = Session { ordinal: endpoint.ordinal, state, is_first: true, run: 0, stage, is_old };
        self.sessions.insert(endpoint.node, session);
        if self.config.initial_jitter == Duration::ZERO {
            self.ask(ctx, endpoint.node);
        } else {
            let wait = self.jitter(self.config.initial_jitter);
            self.wait(ctx, endpoint.node, wait);
        }
    }

    /// So much at most, in whole milliseconds.
    fn jitter(&mut self, most: Duration) -> Duration {
        let most = most.as_nanos() / NANOS_IN_MILLI;
        let millis = self.luck.draw().word().checked_rem(most).unwrap_or(0);
        Duration::from_millis(millis)
    }

    fn wait(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, time: Duration) {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        self.sessions.get_mut(&peer).expect("a session that goes on is there").stage = Stage::Waits(number);
        ctx.after(time, Timer::Check { peer, number });
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.last = self.last.wrapping_add(1);
        let (number, luck) = (self.last, self.luck.draw());
        self.sessions.get_mut(&peer).expect("a session that goes on is there").stage = Stage::Asked(number);
        let message = Message::Probe { number, path: self.config.path, luck };
        ctx.send_with(peer, message, luck.derive(OUTWARD_HOP));
        ctx.after(self.config.timeout, Timer::Check { peer, number });
    }

    /// A check is due, or has taken too long; whether something was found.
    fn on_due(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, number: u32, traffic: Traffic) -> bool {
        match self.sessions.get(&peer).map(|session| session.stage) {
            Some(Stage::Waits(mine)) if mine == number => {
                self.ask(ctx, peer);
                false
            }
            Some(Stage::Asked(mine)) if mine == number => {
                self.find(ctx, peer, Finding::Unreachable, traffic);
                true
            }
            Some(Stage::Waits(_) | Stage::Asked(_)) | None => false,
        }
    }

    /// A check has found this, and the next one is set.
    fn find(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, finding: Finding, traffic: Traffic) {
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        let was_first = std::mem::replace(&mut session.is_first, false);
        let before = session.state;
        session.count(finding, was_first, &self.config);
        let (ordinal, after) = (session.ordinal, session.state);
        if was_first && session.is_old {
            self.unchecked = self.unchecked.map(|unchecked| unchecked - 1);
        }
        if before != after || was_first {
            let standing = match after {
                State::Healthy => Standing::Healthy,
                State::Failed => Standing::Unhealthy,
            };
            self.standings.hear(Source::HealthCheck, ordinal, standing);
        }
        let interval = match traffic {
            Traffic::Some => self.config.interval,
            Traffic::None => self.config.no_traffic_interval,
        };
        let wait = interval + self.jitter(self.config.interval_jitter);
        self.wait(ctx, peer, wait.max(LEAST_INTERVAL));
    }

    /// When the picker is to be told what has been found.
    fn due(&self, now: Time) -> Option<Time> {
        self.standings.due(now).filter(|_| self.unchecked == Some(0))
    }
}

/// No interval is shorter, "to prevent live lock".
const LEAST_INTERVAL: Duration = Duration::from_millis(1);
const NANOS_IN_MILLI: u64 = 1_000_000;

/// Whether the client has ever sent a request, or has long had connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Traffic {
    Some,
    None,
}

impl Session {
    /// Believes what has been found often enough: `handleSuccess` and `setUnhealthy`.
    fn count(&mut self, finding: Finding, was_first: bool, config: &HealthCheck) {
        let (state, threshold) = match (finding, self.state) {
            (Finding::Well, State::Failed) => (State::Healthy, config.healthy_threshold),
            (Finding::Unreachable, State::Healthy) => (State::Failed, config.unhealthy_threshold),
            (Finding::Ill, State::Healthy) => (State::Failed, 1),
            (Finding::Well, State::Healthy) | (Finding::Ill | Finding::Unreachable, State::Failed) => {
                self.run = 0;
                return;
            }
        };
        self.run += 1;
        if self.run >= threshold || was_first {
            (self.state, self.run) = (state, 0);
        }
    }
}

impl Client {
    /// The client holds another list: its instances are checked.
    pub(super) fn check_health_of(&mut self, ctx: &mut Ctx<'_>, listing: &Listing) {
        let Some(checks) = &mut self.checks else { return };
        checks.on_listing(ctx, listing);
        // Who is added or removed is heeded at once, and all that was to be told with it.
        for (ordinal, standing) in checks.standings.tell(ctx.now()) {
            self.picker.hear_of(ctx.now(), ordinal, standing);
        }
    }

    /// An instance has said how it is.
    pub fn on_probed(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32, health: Health) {
        let finding = match health {
            Health::Well => Finding::Well,
            Health::Ill => Finding::Ill,
        };
        self.find_asked(ctx, from, Some(number), finding);
    }

    /// A peer's host has reset the connection: what was asked there is not answered.
    pub(super) fn on_check_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.find_asked(ctx, peer, None, Finding::Unreachable);
    }

    /// The check under way, if there is one and it is of this number, has found this.
    fn find_asked(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, number: Option<u32>, finding: Finding) {
        let traffic = self.traffic();
        let Some(checks) = &mut self.checks else { return };
        let asked = checks.sessions.get(&peer).is_some_and(|session| match session.stage {
            Stage::Asked(mine) => number.is_none_or(|number| number == mine),
            Stage::Waits(_) => false,
        });
        if asked {
            checks.find(ctx, peer, finding, traffic);
            self.tell_standings(ctx);
        }
    }

    /// It may be time to do something about a check.
    pub fn on_check(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, number: u32) {
        let traffic = self.traffic();
        if let Some(checks) = &mut self.checks
            && checks.on_due(ctx, peer, number, traffic)
        {
            self.tell_standings(ctx);
        }
    }

    /// It may be time to tell the picker how endpoints are.
    pub fn on_standings_due(&mut self, ctx: &mut Ctx<'_>) {
        self.tell_standings(ctx);
    }

    fn tell_standings(&mut self, ctx: &mut Ctx<'_>) {
        let Some(checks) = &mut self.checks else { return };
        match checks.due(ctx.now()) {
            Some(due) if due <= ctx.now() => {
                let standings = checks.standings.tell(ctx.now());
                let dice = &mut crate::dice::Dice::new(self.changes.draw().many());
                self.picker.on_standings(ctx.now(), standings, &self.in_flight, dice);
                self.set_alarm(ctx);
            }
            Some(due) if checks.alarm != Some(due) => {
                checks.alarm = Some(due);
                ctx.at(due, Timer::Standings);
            }
            Some(_) | None => {}
        }
    }

    fn traffic(&self) -> Traffic {
        match self.desk.config.connections {
            Connections::Warm => Traffic::Some,
            Connections::Pooled(_) if self.has_called => Traffic::Some,
            Connections::Pooled(_) => Traffic::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: HealthCheck = HealthCheck {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(3),
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        no_traffic_interval: Duration::from_secs(60),
        initial_jitter: Duration::ZERO,
        interval_jitter: Duration::ZERO,
        ignore_new: false,
        update_merge_window: Duration::from_secs(1),
        path: ProbePath::Apart,
    };

    /// What is believed after each finding, the first of which is the first of all.
    fn believed(findings: &[Finding]) -> Vec<State> {
        let (state, stage) = (State::Failed, Stage::Waits(0));
        let mut session = Session { ordinal: 0, state, is_first: true, run: 0, stage, is_old: true };
        let count = |finding: &Finding| {
            let was_first = std::mem::replace(&mut session.is_first, false);
            session.count(*finding, was_first, &CONFIG);
            session.state
        };
        findings.iter().map(count).collect()
    }

    #[test]
    fn the_first_success_is_believed_at_once_and_later_ones_by_their_number() {
        use Finding::{Ill, Unreachable, Well};
        use State::{Failed, Healthy};
        assert_eq!(believed(&[Well]), [Healthy]);
        assert_eq!(believed(&[Unreachable, Well, Well]), [Failed, Failed, Healthy]);
        assert_eq!(
            believed(&[Well, Unreachable, Unreachable, Well, Unreachable, Unreachable, Unreachable]),
            [Healthy, Healthy, Healthy, Healthy, Healthy, Healthy, Failed]
        );
        assert_eq!(
            believed(&[Well, Ill, Well, Ill, Well, Well]),
            [Healthy, Failed, Failed, Failed, Failed, Healthy]
        );
    }
}
