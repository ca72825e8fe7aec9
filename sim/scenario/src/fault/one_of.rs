//! `one-of`: the faults of which the seed chooses one.

use schism_models::nemesis::{Fault, Lasting, Nature, OneOf};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{ALTERNATIVE, Key, Shape};
use crate::limits;
use crate::reader::{Section, too_many};
use crate::target::TargetSpec;
use crate::tree::Tree;

pub(super) const SHAPE: Shape = Shape::Alternatives;

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "one of several faults, each as likely as the others",
    r#"one-of = [{ crash = "orders:one" }, { pause = "orders:one" }]"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<OneOf<TargetSpec>> {
    let items = body.entry.value.as_list().unwrap_or_default();
    if items.is_empty() {
        body.wrong(
            "`one-of` is a list of faults, and at least one",
            "write one-of = [{ crash = \"orders:one\" }, { pause = \"orders:one\" }]",
        );
        return None;
    }
    if items.len() as u64 > limits::ALTERNATIVES.most {
        body.section.report.add(too_many(body.entry.place, limits::ALTERNATIVES, items.len() as u64));
        return None;
    }
    let of: Vec<_> = items.iter().map(|item| alternative(body, item)).collect();
    let of: Vec<Fault<TargetSpec>> = of.into_iter().collect::<Option<_>>()?;
    alike(body, &of)?;
    Some(OneOf { of })
}

fn alternative(body: &Body<'_>, item: &Tree) -> Option<Fault<TargetSpec>> {
    let report = body.section.report;
    let section = Section::open(&body.section.path, item.place, Some(item), ALTERNATIVE, report);
    let names: Vec<&str> = ALTERNATIVE.iter().map(|key: &Key| key.name).collect();
    let entry = section.only("what goes wrong", &names)?;
    let restart = entry
        .value
        .as_table()
        .filter(|_| entry.key == "crash")
        .and_then(|table| table.entry("restart-after"));
    if let Some(restart) = restart {
        let problem = Problem::error(restart.place, "the alternatives of `one-of` end together");
        report.add(problem.help("leave `restart-after` out, and write `for` beside `one-of`"));
    }
    super::read(&section, entry)
}

/// All last, or all happen at one moment: otherwise nobody could say whether `for` is missing.
fn alike(body: &Body<'_>, of: &[Fault<TargetSpec>]) -> Option<()> {
    let first = |lasting| of.iter().find(|fault| fault.lasting() == lasting);
    let (Some(span), Some(moment)) = (first(Lasting::Span), first(Lasting::Moment)) else { return Some(()) };
    body.wrong(
        format!("`{}` lasts, and `{}` happens at one moment", span.name(), moment.name()),
        "let all the alternatives last, or none",
    );
    None
}

pub(super) fn write(one: &OneOf, names: &dyn Spell) -> String {
    let each = one.of.iter().map(|fault| {
        let (kind, what) = super::write(fault, names);
        format!("{{ {kind} = {what} }}")
    });
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}
