//! Anti-entropy: when an agent compares its state with the servers', and when it tells them what has changed
//! (agent/ae/ae.go).

use schism_core::{Duration, Luck};

use super::stagger::stagger;

/// A full sync comes this long after the last one, and up to as long again, scaled with the cluster (agent/config/
/// default.go, `ae_interval`; no user can change it).
const INTERVAL: Duration = Duration::from_secs(60);
/// A full sync that has failed is repeated after this long, and up to as long again, scaled (`retryFailIntv`).
const RETRY: Duration = Duration::from_secs(15);
/// When a server has come up a full sync follows within this long, scaled (`serverUpIntv`).
const SERVER_UP: Duration = Duration::from_secs(3);
/// Above this many nodes the jitter grows with the cluster (`scaleThreshold`).
const SCALE_THRESHOLD: u32 = 128;

/// What the syncer is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It compares all, and tells what differs.
    Full,
    /// It waits for changes, or for the next full sync.
    Waiting,
    /// It tells what has changed.
    Partial,
    /// A full sync has failed: it waits, and changes are not told meanwhile.
    Retrying,
    /// A server has come up: the same.
    Staggering,
}

/// What the syncer reminds itself of; of each only the latest counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Alarm {
    /// The next full sync is due.
    Interval(u32),
    /// A pause before a full sync is over.
    Pause(u32),
}

/// What it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Compare all, then tell what differs.
    SyncFull,
    /// Tell what has changed.
    SyncChanges,
    /// Ring after so long.
    Remind(Duration, Alarm),
}

/// When to sync.
#[derive(Clone, Debug)]
pub struct Syncer {
    luck: Luck,
    scale: u64,
    stage: Stage,
    /// Whether something has changed that was not told.
    changed: bool,
    /// Whether a server has come up while it was busy.
    server_up: bool,
    /// Whether the next full sync came due while it was busy.
    overdue: bool,
    interval: u32,
    pause: u32,
    /// What is asked for.
    pub asks: Vec<Ask>,
}

impl Syncer {
    /// An agent starts, in a cluster of so many nodes: it begins with a full sync.
    pub fn new(nodes: u32, luck: Luck) -> Syncer {
        let mut syncer = Syncer {
            luck,
            scale: scale(nodes),
            stage: Stage::Full,
            changed: false,
            server_up: false,
            overdue: false,
            interval: 0,
            pause: 0,
            asks: Vec::new(),
        };
        syncer.begin_full();
        syncer
    }

    /// Something has changed here (`SyncChanges.Trigger`).
    pub fn on_changed(&mut self) {
        self.changed = true;
        self.go_on();
    }

    /// A server has come up (`SyncFull.Trigger`).
    pub fn on_server_up(&mut self) {
        self.server_up = true;
        self.go_on();
    }

    /// What was asked for is done, or has failed. What failed of changes is not repeated until there are others, or the
    /// next full sync.
    pub fn on_synced(&mut self, done: bool) {
        match (self.stage, done) {
            (Stage::Full, false) => {
                self.stage = Stage::Retrying;
                let jitter = self.jitter_of(RETRY);
                self.wait(RETRY + jitter);
            }
            (Stage::Full, true) | (Stage::Partial, _) => self.stage = Stage::Waiting,
            (Stage::Waiting | Stage::Retrying | Stage::Staggering, _) => {}
        }
        self.go_on();
    }

    /// An alarm rings.
    pub fn on_alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Interval(number) if number == self.interval => {
                self.overdue = true;
                self.go_on();
            }
            Alarm::Pause(number) if number == self.pause => self.begin_full(),
            Alarm::Interval(_) | Alarm::Pause(_) => {}
        }
    }

    /// Looks what is next: a server that came up, then the full sync, then changes.
    fn go_on(&mut self) {
        let waits = matches!(self.stage, Stage::Waiting);
        if self.server_up && (waits || self.stage == Stage::Retrying) {
            self.server_up = false;
            self.stage = Stage::Staggering;
            let jitter = self.jitter_of(SERVER_UP);
            self.wait(jitter);
        } else if self.overdue && waits {
            self.begin_full();
        } else if self.changed && waits {
            self.changed = false;
            self.stage = Stage::Partial;
            self.asks.push(Ask::SyncChanges);
        }
    }

    fn begin_full(&mut self) {
        self.stage = Stage::Full;
        self.overdue = false;
        self.changed = false;
        self.interval += 1;
        let after = INTERVAL + self.jitter_of(INTERVAL);
        self.asks.push(Ask::Remind(after, Alarm::Interval(self.interval)));
        self.asks.push(Ask::SyncFull);
    }

    fn wait(&mut self, by: Duration) {
        self.pause += 1;
        self.asks.push(Ask::Remind(by, Alarm::Pause(self.pause)));
    }

    fn jitter_of(&mut self, of: Duration) -> Duration {
        stagger(of * self.scale, self.luck.draw())
    }
}

/// By how much the jitter is longer in a cluster of so many nodes: 1 up to 128, and then one more for each doubling,
/// rounded up (`scaleFactor`).
fn scale(nodes: u32) -> u64 {
    if nodes <= SCALE_THRESHOLD {
        return 1;
    }
    u64::from(nodes.div_ceil(SCALE_THRESHOLD).next_power_of_two().ilog2()) + 1
}

#[cfg(test)]
mod tests {
    use schism_core::Seed;

    use super::*;

    fn syncer(nodes: u32) -> Syncer {
        Syncer::new(nodes, Seed(1).luck("agent", "anti-entropy", 0))
    }

    fn asks(syncer: &mut Syncer) -> Vec<Ask> {
        std::mem::take(&mut syncer.asks)
    }

    /// The only reminder among what is asked for.
    fn reminder(asks: &[Ask]) -> (Duration, Alarm) {
        let reminders: Vec<_> = asks
            .iter()
            .filter_map(|ask| match *ask {
                Ask::Remind(after, alarm) => Some((after, alarm)),
                Ask::SyncFull | Ask::SyncChanges => None,
            })
            .collect();
        assert_eq!(reminders.len(), 1, "{asks:?}");
        reminders[0]
    }

    #[test]
    fn the_scale_grows_with_each_doubling() {
        let nodes = [1, 128, 129, 256, 257, 512, 513, 4096, 5003, 8192, 8193];
        let scales = [1, 1, 2, 2, 3, 3, 4, 6, 7, 7, 8];
        assert_eq!(nodes.map(scale), scales);
    }

    #[test]
    fn a_full_sync_follows_another_after_one_to_two_minutes() {
        let mut syncer = syncer(3);
        for _ in 0..100 {
            let asked = asks(&mut syncer);
            assert!(asked.contains(&Ask::SyncFull));
            let (after, alarm) = reminder(&asked);
            assert!(after >= INTERVAL && after < INTERVAL * 2, "{after}");
            syncer.on_synced(true);
            assert_eq!(asks(&mut syncer), []);
            syncer.on_alarm(alarm);
        }
    }

    #[test]
    fn changes_are_told_at_once_and_what_failed_waits_for_others() {
        let mut syncer = syncer(3);
        asks(&mut syncer);
        syncer.on_changed();
        assert_eq!(asks(&mut syncer), [], "a full sync is under way");
        syncer.on_synced(true);
        assert_eq!(asks(&mut syncer), [Ask::SyncChanges]);
        syncer.on_synced(false);
        assert_eq!(asks(&mut syncer), []);
        syncer.on_changed();
        assert_eq!(asks(&mut syncer), [Ask::SyncChanges]);
    }

    #[test]
    fn after_a_full_sync_that_failed_changes_wait_for_the_next_one() {
        let mut syncer = syncer(3);
        asks(&mut syncer);
        syncer.on_synced(false);
        let (after, alarm) = reminder(&asks(&mut syncer));
        assert!(after >= RETRY && after < RETRY * 2, "{after}");
        syncer.on_changed();
        assert_eq!(asks(&mut syncer), []);
        syncer.on_alarm(alarm);
        assert!(asks(&mut syncer).contains(&Ask::SyncFull));
    }

    #[test]
    fn a_server_that_comes_up_ends_the_wait_within_three_seconds() {
        let mut syncer = syncer(3);
        asks(&mut syncer);
        syncer.on_synced(false);
        asks(&mut syncer);
        syncer.on_server_up();
        let (after, alarm) = reminder(&asks(&mut syncer));
        assert!(after < SERVER_UP, "{after}");
        syncer.on_alarm(alarm);
        assert!(asks(&mut syncer).contains(&Ask::SyncFull));
    }
}
