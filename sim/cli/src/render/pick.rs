//! The answer of `schism pick` for people: who got what, how often, and how many keys have moved.

use schism_models::state::State;
use schism_runner::pick::{Moved, Outcome};
use schism_scenario::pick::{About, Many, Op, Script};

use super::style::{self, paint};
use super::table::{Cell, Side, Table};
use super::words::{self, clean, count, many};

/// How many steps, and how many parts of one list of the state, are shown unless all are asked for.
const SHOWN: usize = 40;
const SHOWN_PARTS: usize = 8;
/// How many columns a bar has at most.
const BAR: usize = 30;
/// What a bar's last column can be: eighths of it.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// All of it, within so many columns.
pub(crate) fn text(script: &Script, outcome: &Outcome, width: usize, is_verbose: bool) -> String {
    let listed = many(script.endpoints.len() as u64, "endpoint");
    let mut lines = vec![paint(style::HEAD, format!("{}, {listed}", script.picker.balancer.name()))];
    let all = steps(script, outcome);
    let shown = if is_verbose { all.len() } else { all.len().min(SHOWN) };
    if shown > 0 {
        lines.push(String::new());
        lines.extend(table(&all[..shown]).lines(width));
    }
    if shown < all.len() {
        lines.push(format!("and {}; -v shows all", many((all.len() - shown) as u64, "more step")));
    }
    if !outcome.picks.is_empty() {
        lines.push(String::new());
        lines.extend(histogram(outcome).lines(width));
    }
    if !outcome.state.is_empty() {
        lines.push(String::new());
        let parts = if is_verbose { usize::MAX } else { SHOWN_PARTS };
        show("", "state", &outcome.state, parts, &mut lines);
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What was done, and what came of it.
type Step = (String, String);

fn table(steps: &[Step]) -> Table {
    let mut table = Table::new([("", Side::Left), ("", Side::Left)]);
    for (what, came) in steps {
        table.row([Cell::new(what), Cell::styled(came, style::NAME)]);
    }
    table
}

fn steps(script: &Script, outcome: &Outcome) -> Vec<Step> {
    let mut picks = outcome.names();
    let name = |ordinal: u32| clean(outcome.name(ordinal));
    let mut steps = Vec::new();
    for (number, op) in script.ops.iter().enumerate() {
        let step = match op {
            Op::Pick(ask) => {
                let again =
                    if ask.attempt > 0 { format!(", attempt {}", ask.attempt) } else { String::new() };
                let picked = picks.next().flatten().map_or("nobody".to_owned(), clean);
                (about(&ask.about) + &again, picked)
            }
            Op::Picks(asked) => {
                // They are counted below.
                picks.by_ref().take(asked.count as usize).for_each(drop);
                (several(asked), String::new())
            }
            Op::Reply(reply) => (format!("reply from {}", name(reply.endpoint)), String::new()),
            Op::Done(ordinal) => (format!("done at {}", name(*ordinal)), String::new()),
            Op::Advance(by) => (format!("{by} later"), String::new()),
            Op::Update(list) => {
                let listed = format!("update: {}", many(list.len() as u64, "endpoint"));
                let moved = outcome.moved.iter().find(|moved| moved.op == number);
                let mut came = moved.map(|moved| movement(outcome, moved)).unwrap_or_default();
                let first = if came.is_empty() { String::new() } else { came.remove(0) };
                steps.push((listed, first));
                steps.extend(came.into_iter().map(|line| (String::new(), line)));
                continue;
            }
            Op::Probe(ordinal, _) => (format!("probe of {}", name(*ordinal)), String::new()),
        };
        steps.push(step);
    }
    steps
}

fn about(about: &About) -> String {
    match about {
        About::Nothing => "a request".to_owned(),
        About::Hash(hash) => format!("hash {hash}"),
        About::Key(key) => clean(key),
    }
}

fn several(asked: &Many) -> String {
    let picks = many(asked.count.into(), "request");
    match (&asked.keys, asked.count) {
        (Some(keys), 1..) => {
            format!("{picks}, {} to {}", clean(&keys.key(0)), clean(&keys.key(asked.count - 1)))
        }
        (Some(_), 0) | (None, _) => picks,
    }
}

/// Who came and went, and how many keys move: a line each.
fn movement(outcome: &Outcome, moved: &Moved) -> Vec<String> {
    let who = |ordinals: &[u32], did: &str| match ordinals {
        [] => None,
        [one] => Some(format!("{} {did}", clean(outcome.name(*one)))),
        several => Some(format!("{} {did}", count(several.len() as u64))),
    };
    let keys = format!(
        "{} of {} move ({})",
        count(moved.moved as u64),
        many(moved.keys as u64, "key"),
        words::percent(moved.share()),
    );
    let between = format!("{} of them between endpoints that stay", count(moved.between_old as u64));
    [who(&moved.went, "went"), who(&moved.came, "came"), Some(keys), Some(between)]
        .into_iter()
        .flatten()
        .collect()
}

fn histogram(outcome: &Outcome) -> Table {
    let all = outcome.picks.len() as u64;
    let counts = outcome.histogram();
    let most = counts.iter().map(|&(_, count)| count).max().unwrap_or(1);
    let mut table = Table::new([
        ("picked", Side::Left),
        ("times", Side::Right),
        ("share", Side::Right),
        ("", Side::Left),
    ]);
    for &(name, times) in &counts {
        let bar = Cell::styled(bar(times as f64 / most as f64), style::NAME);
        table.row([name.into(), count(times).into(), words::share(times, all).into(), bar]);
    }
    let nobody = outcome.picks.iter().filter(|pick| pick.is_none()).count() as u64;
    if nobody > 0 {
        let cell = |text: String| Cell::styled(text, style::BAD);
        let share = words::share(nobody, all);
        table.row([cell("nobody".to_owned()), cell(count(nobody)), cell(share), "".into()]);
    }
    table
}

fn bar(part: f64) -> String {
    let eighths = (part * BAR as f64 * 8.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A part of the state with all that is in it, one line each; lists of plain values on one.
fn show(indent: &str, name: &str, state: &State, parts: usize, lines: &mut Vec<String>) {
    let head = format!("{indent}{}", paint(style::FAINT, clean(name)));
    let within = format!("{indent}  ");
    match state {
        State::Table(table) => {
            lines.push(head);
            table.iter().for_each(|(name, part)| show(&within, name, part, parts, lines));
        }
        State::List(list) if list.iter().all(is_plain) => {
            let shown: Vec<String> = list.iter().take(parts).map(plain).collect();
            let more = list.len() - shown.len();
            let more = if more > 0 { format!(" and {}", many(more as u64, "more")) } else { String::new() };
            lines.push(format!("{head}  {}{more}", shown.join(", ")));
        }
        State::List(list) => {
            lines.push(head);
            for (number, part) in list.iter().take(parts).enumerate() {
                show(&within, &number.to_string(), part, parts, lines);
            }
            if list.len() > parts {
                lines.push(format!("{within}and {} more", count((list.len() - parts) as u64)));
            }
        }
        State::Text(_)
        | State::Whole(_)
        | State::Signed(_)
        | State::Number(_)
        | State::Flag(_)
        | State::None => lines.push(format!("{head}  {}", plain(state))),
    }
}

fn is_plain(state: &State) -> bool {
    match state {
        State::Table(_) | State::List(_) => false,
        State::Text(_)
        | State::Whole(_)
        | State::Signed(_)
        | State::Number(_)
        | State::Flag(_)
        | State::None => true,
    }
}

/// A value without parts.
fn plain(state: &State) -> String {
    match state {
        State::Text(text) => clean(text),
        State::Whole(number) => number.to_string(),
        State::Signed(number) => number.to_string(),
        State::Number(number) => number.to_string(),
        State::Flag(flag) => flag.to_string(),
        State::None => "-".to_owned(),
        State::Table(_) | State::List(_) => String::new(),
    }
}
