//! `loss`: on which links messages are lost, and which of them.

use schism_core::{GilbertElliott, Ratio};
use schism_models::nemesis::{Loss, Pattern};

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("rate", Shape::Share, "The share of messages that is lost, each by its own luck"),
    Key::new(
        "burst",
        Shape::Table(BURST),
        "Instead of `rate`: losses in bursts, by Gilbert and Elliott's chain",
    ),
    DIRECTION,
    TRAFFIC_KEY,
];

/// `burst`: the chain goes on by one step for each message.
const BURST: &[Key] = &[
    Key::new("to-bad", Shape::Share, "The chance to go from the good state to the bad").required(),
    Key::new("to-good", Shape::Share, "The chance to go from the bad state to the good").required(),
    Key::new("loss-bad", Shape::Share, "The share that is lost in the bad state").or("\"100%\""),
    Key::new("loss-good", Shape::Share, "The share that is lost in the good state").or("\"0%\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("messages are lost, each by its own luck", r#"loss = { between = ["zone:a", "zone:b"], rate = "5%" }"#),
    (
        "messages are lost in bursts",
        r#"loss = { target = "orders:one", burst = { to-bad = "1%", to-good = "20%" } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Loss<TargetSpec>> {
    let section = &body.section;
    let ways = ways::read(section);
    let entry = section.only("what is lost", &["rate", "burst"])?;
    let pattern = if entry.key == "rate" {
        Pattern::Each(section.maybe::<Ratio>("rate")?.value)
    } else {
        let burst = section.child("burst");
        let share = |name: &str| burst.value::<Ratio>(name).value;
        let (to_bad, to_good) = (burst.must::<Ratio>("to-bad"), burst.must::<Ratio>("to-good"));
        Pattern::Bursts(GilbertElliott {
            to_bad: to_bad?.value,
            to_good: to_good?.value,
            loss_good: share("loss-good"),
            loss_bad: share("loss-bad"),
        })
    };
    Some(Loss { ways: ways?, pattern })
}

pub(super) fn write(fault: &Loss, names: &dyn Spell) -> String {
    let pattern = match fault.pattern {
        Pattern::Each(rate) => format!("rate = \"{}\"", show_ratio(rate)),
        Pattern::Bursts(chain) => {
            let of = [
                ("to-bad", chain.to_bad),
                ("to-good", chain.to_good),
                ("loss-bad", chain.loss_bad),
                ("loss-good", chain.loss_good),
            ];
            let of = of.map(|(name, ratio)| format!("{name} = \"{}\"", show_ratio(ratio)));
            format!("burst = {{ {} }}", of.join(", "))
        }
    };
    format!("{{ {}, {pattern} }}", ways::write(&fault.ways, names))
}
