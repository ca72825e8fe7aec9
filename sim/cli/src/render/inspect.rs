//! A moment of a run as text: where it stands, its nodes, who waits for whom, and who believes what.

use std::fmt::Write as _;

use schism_core::Time;
use schism_runner::Words;
use schism_runner::inspect::{
    Beliefs, Believer, LockView, Mind, Moment, NodeView, TimerView, WaitView, Waits,
};
use schism_runner::report::{Report, Verdict};

use super::style::{self, paint};
use super::words::{calm, clip, count, many, width};

/// A moment to the millisecond: what is looked at here is often less than a tenth of a second apart.
fn exactly(seconds: f64) -> String {
    format!("{seconds:.3}s")
}

/// Columns of a message's or a timer's own text, unless all is asked for.
const TEXT: usize = 100;
/// How many of a kind one node shows, unless all is asked for.
const FEW: usize = 8;

/// Where the run stands.
pub(crate) fn place(moment: &Moment) -> String {
    let mut text = format!(
        "{}  after event {}, {} more planned so far, digest {}\n",
        paint(style::HEAD, exactly(moment.at_s)),
        count(moment.events),
        count(moment.pending as u64),
        &moment.digest[..8],
    );
    if let Some(forked) = moment.forked_s {
        let _ = writeln!(
            text,
            "  {}",
            paint(style::ODD, format!("a fork: another run since {}", exactly(forked)))
        );
    }
    for failed in &moment.failed {
        let when = format!("{} at {}", failed.expectation, exactly(failed.at_s));
        let _ = writeln!(text, "  {} {when}: {}", paint(style::BAD, "FAIL"), calm(&failed.why));
    }
    if !moment.faults.is_empty() {
        let since = |since_s: f64| exactly(since_s);
        let faults = moment.faults.iter().map(|fault| format!("{} since {}", fault.id, since(fault.since_s)));
        let _ = writeln!(text, "  in force: {}", paint(style::FAULT, faults.collect::<Vec<_>>().join(", ")));
    }
    if moment.islands.len() > 1 {
        let _ = writeln!(text, "  islands: {}", moment.islands.join(" | "));
    }
    text
}

/// Who can reach whom.
pub(crate) fn islands(moment: &Moment) -> String {
    match moment.islands.as_slice() {
        [whole] => format!("one island: {whole}\n"),
        parts => parts.iter().map(|part| format!("island: {part}\n")).collect(),
    }
}

/// The plan, and what of it is in force.
pub(crate) fn faults(moment: &Moment, plan: &[(String, String)]) -> String {
    if plan.is_empty() {
        return "no faults\n".to_owned();
    }
    let line = |(id, what): &(String, String)| {
        let active = moment.faults.iter().find(|fault| fault.id == *id);
        let state = active.map_or(String::new(), |fault| format!("  since {}", exactly(fault.since_s)));
        format!("  {}  {what}{}\n", paint(style::NAME, id), paint(style::FAULT, state))
    };
    plan.iter().map(line).collect()
}

/// Each node in a line.
pub(crate) fn list(moment: &Moment) -> String {
    let wide = moment.nodes.iter().map(|node| width(&node.name)).max().unwrap_or(0);
    let line = |node: &NodeView| {
        let waits = match node.waits.len() {
            0 => String::new(),
            1 => "; 1 task waits".to_owned(),
            tasks => format!("; {tasks} tasks wait"),
        };
        let summary = node.summary.as_deref().unwrap_or("its process is dead");
        format!("  {:wide$}  {}  {summary}{waits}{}\n", node.name, status(node), ails(node))
    };
    moment.nodes.iter().map(line).collect()
}

fn status(node: &NodeView) -> String {
    let text = format!("{:6}", if node.dark { "dark" } else { node.status });
    match node.status {
        "up" => text,
        "paused" => paint(style::ODD, text),
        _ => paint(style::BAD, text),
    }
}

fn ails(node: &NodeView) -> String {
    match node.ails.len() {
        0 => String::new(),
        ailments => paint(style::FAULT, format!("; {}", many(ailments as u64, "ailment"))),
    }
}

/// Nodes with all that can be seen of them.
pub(crate) fn nodes(moment: &Moment, all: bool) -> String {
    moment.nodes.iter().map(|node| one(node, all)).collect()
}

fn one(node: &NodeView, all: bool) -> String {
    let mut text = String::new();
    let aboard = node.host.as_ref().map_or(String::new(), |host| format!(" on the host of {host}"));
    let _ = writeln!(
        text,
        "{}  {} since {}, life {}, zone {}{aboard}",
        paint(style::HEAD, &node.name),
        status(node).trim_end(),
        exactly(node.since_s),
        node.life,
        node.zone,
    );
    if let Some(summary) = &node.summary {
        let _ = writeln!(text, "  {summary}");
    }
    if let Some(clocks) = &node.clocks {
        let (monotonic, wall) = (clocks.monotonic_s, clocks.wall_s);
        let _ = writeln!(text, "  clocks: monotonic {monotonic:+.6}s, wall {wall:+.6}s from the truth");
    }
    section(&mut text, "ails", &node.ails, all, Clone::clone);
    section(&mut text, "waits", &node.waits, all, wait);
    section(&mut text, "timers", &node.timers, all, timer);
    section(&mut text, "on its way to it", &node.coming, all, |coming| {
        let from = coming.from.as_ref().map_or(String::new(), |from| format!(" from {from}"));
        format!("{}{from}: {}", exactly(coming.at_s), coming.what)
    });
    section(&mut text, "kept until it goes on", &node.held, all, Clone::clone);
    section(&mut text, "connections", &node.connections, all, |connection| {
        let state = if connection.established { "" } else { ", being opened" };
        let stalled = connection.stalled.as_ref().map_or(String::new(), |stalled| {
            format!(
                ", stalled since {} with {} messages, sent {} times more, waits for {}",
                exactly(stalled.since_s),
                stalled.backlog,
                stalled.tries,
                stalled.waits_for
            )
        });
        format!("to {}{state}{stalled}", connection.to)
    });
    if let Some(state) = &node.state {
        let _ = writeln!(text, "  state");
        state.lines().for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
    text
}

/// A heading and a line for each, the first few unless all are asked for.
fn section<T>(text: &mut String, name: &str, items: &[T], all: bool, line: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {}", paint(style::FAINT, name));
    let most = if all { usize::MAX } else { FEW };
    for item in items.iter().take(most) {
        let line = line(item);
        let shown = if all { line } else { clip(&line, TEXT) };
        let _ = writeln!(text, "    {shown}");
    }
    if items.len() > most {
        let _ = writeln!(text, "    and {} more; -v shows all", items.len() - most);
    }
}

fn timer(timer: &TimerView) -> String {
    let due = timer.due_s.map_or("never".to_owned(), exactly);
    format!("{due:>10}  {}", Words::plainly(&timer.what))
}

fn wait(wait: &WaitView) -> String {
    let from = if wait.on.is_empty() { String::new() } else { format!(" from {}", wait.on.join(", ")) };
    let since = wait.since_s.map_or(String::new(), |since| format!(", since {}", exactly(since)));
    let until = wait.until_s.map_or(String::new(), |until| format!(", until {} at most", exactly(until)));
    format!("{} waits for {}{from}{since}{until}", wait.task, wait.what)
}

/// The timers of all nodes, soonest first.
pub(crate) fn timers(moment: &Moment) -> String {
    let mut all: Vec<(&str, &TimerView)> = moment
        .nodes
        .iter()
        .flat_map(|node| node.timers.iter().map(|timer| (node.name.as_str(), timer)))
        .collect();
    let due = |timer: &TimerView| timer.due_s.unwrap_or(f64::INFINITY);
    all.sort_by(|(_, a), (_, b)| due(a).total_cmp(&due(b)));
    let wide = all.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let line = |(name, shown): &(&str, &TimerView)| {
        let due = shown.due_s.map_or("never".to_owned(), exactly);
        format!("  {due:>10}  {name:wide$}  {}\n", clip(&Words::plainly(&shown.what), TEXT))
    };
    all.iter().map(line).collect()
}

/// Who waits for whom: every node's tasks, then the graph, then its rings.
pub(crate) fn waits(moment: &Moment, graph: &Waits) -> String {
    let mut text = String::new();
    for node in moment.nodes.iter().filter(|node| !node.waits.is_empty()) {
        let _ = writeln!(text, "{}", paint(style::HEAD, &node.name));
        for task in node.waits.iter().take(FEW) {
            let _ = writeln!(text, "  {}", clip(&wait(task), TEXT));
        }
        if node.waits.len() > FEW {
            let _ = writeln!(text, "  and {} more", node.waits.len() - FEW);
        }
    }
    let _ = writeln!(text, "{}", paint(style::HEAD, "waits for"));
    for edge in &graph.edges {
        let cannot = if edge.can_answer { "" } else { ", which cannot answer" };
        let what = clip(&edge.what.join("; "), TEXT);
        let tasks = if edge.tasks == 1 { String::new() } else { format!(" ({} tasks)", edge.tasks) };
        let _ = writeln!(text, "  {} -> {}{}{tasks}: {what}", edge.from, edge.to, paint(style::BAD, cannot));
    }
    match graph.cycles.as_slice() {
        [] => text.push_str("no ring: nobody waits for itself by way of others\n"),
        rings => {
            for ring in rings {
                let closed = ring.iter().chain(ring.first()).cloned().collect::<Vec<_>>().join(" -> ");
                let _ = writeln!(text, "{} {closed}", paint(style::BAD, "ring:"));
            }
        }
    }
    text
}

/// Who holds which lock, by the registry's word and by its own.
pub(crate) fn locks(locks: &[LockView]) -> String {
    if locks.is_empty() {
        return "no lock: nobody has ever claimed one\n".to_owned();
    }
    locks.iter().map(lock).collect()
}

fn lock(view: &LockView) -> String {
    let LockView { lock, claims, believers, wanted_by } = view;
    let mut text = format!("{}\n", paint(style::HEAD, format!("lock {lock}")));
    let _ = match claims.first() {
        Some(first) => {
            writeln!(text, "  by the registry {} holds it: claimed at {}", first.by, exactly(first.since_s))
        }
        None => writeln!(text, "  by the registry nobody holds it"),
    };
    for claim in claims.iter().skip(1) {
        let _ = writeln!(text, "  {} is in line: claimed at {}", claim.by, exactly(claim.since_s));
    }
    for Believer { client, token, since_s, dropped_s, because } in believers {
        let wrongly = match (dropped_s, because) {
            (Some(at), because) => {
                let because = because.map_or_else(String::new, |why| format!(" ({why})"));
                paint(
                    style::BAD,
                    format!(", wrongly: the registry dropped its claim at {}{because}", exactly(*at)),
                )
            }
            (None, _) => String::new(),
        };
        let since = exactly(*since_s);
        let _ = writeln!(text, "  {client} believes that it holds it (token {token}) since {since}{wrongly}");
    }
    let in_line = |client: &&String| claims.iter().skip(1).any(|claim| claim.by == **client);
    for client in wanted_by.iter().filter(|client| !in_line(client)) {
        let _ = writeln!(text, "  {client} wants it");
    }
    text
}

/// What everyone thinks of an instance. Of those that think alike since the same moment, all are on one line.
pub(crate) fn beliefs(beliefs: &Beliefs, now_s: f64) -> String {
    let mut text = format!(
        "{}  truth: {} since {}, {}\n",
        paint(style::HEAD, &beliefs.subject),
        if beliefs.alive { "ALIVE" } else { "DEAD" },
        exactly(beliefs.since_s),
        if beliefs.registered { "registered" } else { "not registered" },
    );
    let wide = beliefs.minds.iter().map(|mind| width(&mind.observer)).max().unwrap_or(0);
    for mind in &beliefs.minds {
        let Mind { observer, opinion, since_s, right } = mind;
        let opinion = opinion.unwrap_or("no list");
        let age = exactly(now_s - since_s);
        let wrong = if *right == Some(false) { paint(style::BAD, "  wrong") } else { String::new() };
        let _ =
            writeln!(text, "  {observer:wide$}  {opinion:7}  for {age}, since {}{wrong}", exactly(*since_s));
    }
    if beliefs.unheard > 0 {
        let _ = writeln!(text, "  {} observers have never heard of it", beliefs.unheard);
    }
    text
}

/// How a run comes out.
pub(crate) fn outcome(report: &Report, forked: Option<Time>) -> String {
    let verdict = match report.verdict {
        Verdict::Holds => paint(style::GOOD, "holds"),
        Verdict::Fails => paint(style::BAD, "FAILS"),
        Verdict::Vacuous => paint(style::ODD, "vacuous"),
    };
    let mut text = match forked {
        Some(since) => format!("forked at {}: {verdict}\n", exactly(since.as_secs_f64())),
        None => format!("{verdict}\n"),
    };
    for expectation in &report.expect {
        let verdict = match expectation.verdict {
            Verdict::Holds => paint(style::GOOD, "holds  "),
            Verdict::Fails => paint(style::BAD, "FAILS  "),
            Verdict::Vacuous => paint(style::ODD, "vacuous"),
        };
        let why = expectation.why.as_ref().map_or(String::new(), |why| format!("  {}", calm(why)));
        let _ = writeln!(text, "  {verdict}  {}{why}", expectation.id);
    }
    let _ = writeln!(text, "  digest {}", report.digest);
    text
}

/// The commands of the shell.
pub(crate) fn help(commands: &[(&str, &str)]) -> String {
    let wide = commands.iter().map(|(usage, _)| width(usage)).max().unwrap_or(0);
    let line =
        |(usage, about): &(&str, &str)| format!("  {usage:wide$}  {about}").trim_end().to_owned() + "\n";
    commands.iter().map(line).collect()
}
