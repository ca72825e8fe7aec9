//! `noisy-neighbour`: whose processor somebody else takes, how much of it, and for how long.

use schism_core::Ratio;
use schism_models::nemesis::NoisyNeighbour;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances have the neighbour").required(),
    Key::new("steal", Shape::Share, "What it takes of the processor in a burst").required(),
    Key::new("on", Shape::Duration(Least::Positive), "How long a burst lasts, in the mean (ours)")
        .or("\"200ms\""),
    Key::new("off", Shape::Duration(Least::Positive), "How long it is quiet, in the mean (ours)")
        .or("\"800ms\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances lose a share of their processor in bursts",
    r#"noisy-neighbour = { target = "orders:pick(2)", steal = "60%", on = "200ms", off = "800ms" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<NoisyNeighbour<TargetSpec>> {
    let section = &body.section;
    let turn = |name| super::turn(name, section.value(name), "burst", section.report);
    let (on, off) = (turn("on"), turn("off"));
    let steal = section.must::<Ratio>("steal");
    let (targets, steal, on, off) = (body.targets()?, steal?.value, on?, off?);
    if steal == Ratio::ONE {
        body.wrong("`steal` is 100%: no work would ever end", "write less, or a pause");
        return None;
    }
    Some(NoisyNeighbour { targets, steal, on, off })
}

pub(super) fn write(fault: &NoisyNeighbour, names: &dyn Spell) -> String {
    let NoisyNeighbour { targets, steal, on, off } = fault;
    let steal = units::show_ratio(*steal);
    format!("{{ target = {}, steal = \"{steal}\", on = \"{on}\", off = \"{off}\" }}", names.targets(targets))
}
