//! `leak`: who gets slower the longer it runs, how fast, how far, and what then.

use schism_core::Duration;
use schism_models::nemesis::Leak;
use schism_models::plight::{Leak as Leaking, LeakEnd};

use super::error_rate::RESTART_AFTER;
use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances leak").required(),
    Key::new("per", Shape::Duration(Least::Positive), "In this time ... (ours)").or("\"10s\""),
    Key::new("factor", Shape::Factor, "... work gets longer by the excess of this over one, evenly (ours)")
        .or("1.5"),
    Key::new("limit", Shape::Factor, "It takes no more than so many times as long (ours)").or("20"),
    Key::new("dies", Shape::Flag, "Whether the process dies at the limit, and starts fresh").or("false"),
    RESTART_AFTER,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances get slower the longer they run, and die of it",
    r#"leak = { target = "orders:pick(2)", per = "1s", factor = 1.5, limit = 5, dies = true }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Leak<TargetSpec>> {
    let section = &body.section;
    let end = if section.value("dies").value { LeakEnd::Dies } else { LeakEnd::Stays };
    let (per, factor) = (section.value("per").value, section.value("factor").value);
    let leaking = Leaking { per, factor, limit: section.value("limit").value, end };
    let restart_after: Duration = section.value("restart-after").value;
    let life = leaking.reaches();
    if end == LeakEnd::Dies && life < limits::TURN && restart_after < limits::TURN {
        body.wrong(
            format!(
                "each life is {life}, and `restart-after` is {restart_after}; the limit is {}",
                limits::TURN
            ),
            "every death is an event of the run: raise `per` or `restart-after`",
        );
        return None;
    }
    Some(Leak { targets: body.targets()?, leaking, restart_after })
}

pub(super) fn write(fault: &Leak, names: &dyn Spell) -> String {
    let Leaking { per, factor, limit, end } = fault.leaking;
    let dies = end == LeakEnd::Dies;
    format!(
        "{{ target = {}, per = \"{per}\", factor = {factor}, limit = {limit}, dies = {dies}, restart-after = \"{}\" }}",
        names.targets(&fault.targets),
        fault.restart_after
    )
}
