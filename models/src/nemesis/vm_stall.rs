//! Virtual machines stand still, and their clocks with them.

use schism_core::{Duration, Skew};

use super::aim::{Aim, Names, Target};
use super::hand::{Bend, Hand, Pace, Strike};
use super::{Condition, Grip, Nature};

/// The machines of some processes stand still, as in a live migration or a snapshot: the processes do, and so do both of
/// their clocks. Healing lets them go on. The wall clock is right again, as by NTP; the monotonic one has lost that time.
#[derive(Clone, Debug, PartialEq)]
pub struct VmStall<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
}

impl<T> VmStall<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<VmStall<U>> {
        Some(VmStall { targets: at(self.targets)? })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for VmStall<T> {
    /// The clocks of who stands still go on, until the machine stands still too.
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn grip(&self) -> Grip {
        Grip::Stalled
    }
}

impl VmStall {
    /// `vm stall of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("vm stall of {}", names.targets(&self.targets))
    }
}

/// Both clocks stand.
const STOPPED: Bend = Bend { monotonic: Pace::Stops, wall: Pace::Stops, skew: Skew::NONE };

impl Strike for VmStall {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.bend(node, STOPPED, Duration::ZERO);
            hand.stall(node);
        }
    }
}
