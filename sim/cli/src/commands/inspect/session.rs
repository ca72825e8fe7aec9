//! A session with one run: what the options of the command and the commands of the shell both ask for.

use schism_core::{NodeId, Time};
use schism_models::node::Node;
use schism_runner::Inspection;
use schism_runner::inspect::{Beliefs, Condition, Detail, NotACondition, NotForked, Reached, Visible};
use schism_runner::report::Verdict;
use schism_scenario::{duration, suggest};
use serde_json::json;

use super::Answer;
use crate::args::Input;
use crate::engine;
use crate::exit::Trouble;
use crate::render::inspect as render;

/// A run, and the file that it came from.
pub(super) struct Session {
    pub(super) inspection: Inspection<Node>,
    names: Vec<String>,
    file: std::path::PathBuf,
    /// What was changed from the start, and what forks have changed since.
    set: Vec<String>,
}

/// How much of nodes is asked for.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) timers: bool,
    pub(super) verbose: bool,
    /// Whether they were asked for by name: else each is a line.
    pub(super) named: bool,
}

impl Session {
    pub(super) fn new(inspection: Inspection<Node>, input: &Input) -> Session {
        let names = inspection.names();
        Session { inspection, names, file: input.file.clone(), set: input.changes.set.clone() }
    }

    /// The node of this name.
    pub(super) fn node(&self, name: &str) -> Result<NodeId, Trouble> {
        self.inspection.node(name).ok_or_else(|| {
            let help = suggest(name, self.names.iter().map(String::as_str).collect::<Vec<_>>());
            helped(format!("there is no node `{name}`"), help)
        })
    }

    /// The nodes of these names; all, if there are none.
    pub(super) fn nodes(&self, names: &[String]) -> Result<Vec<NodeId>, Trouble> {
        if names.is_empty() {
            return Ok((0..self.names.len() as u32).map(NodeId).collect());
        }
        names.iter().map(|name| self.node(name)).collect()
    }

    /// A moment: `45s`, or `+5s` and `-5s` from here.
    pub(super) fn go_to(&mut self, text: &str) -> Result<Reached, Trouble> {
        let read = |text: &str| duration(text).map_err(Trouble::new);
        let at = if let Some(later) = text.strip_prefix('+') {
            self.inspection.at() + read(later)?
        } else if let Some(earlier) = text.strip_prefix('-') {
            Time::START + self.inspection.at().since(Time::START + read(earlier)?)
        } else {
            Time::START + read(text)?
        };
        if at > self.inspection.end() {
            let end = self.inspection.end().as_secs_f64();
            return Err(Trouble::new(format!("{text} is after the end of the run, which is at {end}s")));
        }
        let reached = self.inspection.go_to(at);
        if reached == Reached::Beginning {
            let from = self.inspection.forked().unwrap_or(Time::START).as_secs_f64();
            return Err(Trouble::new(format!("this fork begins at {from}s and cannot go back behind that"))
                .help("inspect the file again to see what was before"));
        }
        Ok(reached)
    }

    pub(super) fn condition(&self, text: &str) -> Result<Condition, Trouble> {
        let read = Condition::read(text, self.inspection.scenario(), &self.names);
        read.map_err(|NotACondition { message, help }| helped(message, help))
    }

    /// From here on with other faults, or without some.
    pub(super) fn fork(&mut self, changes: &[String], without: &[String]) -> Result<(), Trouble> {
        if !changes.is_empty() {
            if let Some(other) = changes.iter().find(|change| !change.starts_with("fault.")) {
                return Err(refused(NotForked::NotAFault, other));
            }
            let set: Vec<String> = self.set.iter().chain(changes).cloned().collect();
            let family = engine::load(&self.file, &set)?.family;
            let changed = engine::member(&family, self.inspection.seed())?;
            self.inspection.fork(changed).map_err(|why| refused(why, &changes.join(" ")))?;
            self.set = set;
        }
        if !without.is_empty() {
            self.inspection.fork_without(without).map_err(|why| refused(why, &without.join(" ")))?;
        }
        Ok(())
    }

    /// How it comes out from here.
    pub(super) fn run(&self) -> (String, Verdict) {
        let report = self.inspection.report();
        (render::outcome(&report, self.inspection.forked()), report.verdict)
    }

    pub(super) fn beliefs(&self, name: &str) -> Result<Beliefs, Trouble> {
        let node = self.node(name)?;
        self.inspection.beliefs(node).ok_or_else(|| {
            Trouble::new(format!("`{name}` is no instance of a service: nobody has beliefs about it"))
        })
    }

    /// Where the run stands, in a line or two.
    pub(super) fn place(&self) -> String {
        render::place(&self.inspection.moment(&[], Visible { state: Detail::None }))
    }

    pub(super) fn json(&self, nodes: &[NodeId], question: Question) -> Answer {
        json!(self.inspection.moment(nodes, visible(question)))
    }

    /// These nodes, each in a line unless they were named.
    pub(super) fn show(&self, nodes: &[NodeId], question: Question) -> String {
        let moment = self.inspection.moment(nodes, visible(question));
        if question.timers && !question.verbose {
            return render::timers(&moment);
        }
        if question.named || question.verbose {
            render::nodes(&moment, question.verbose)
        } else {
            render::list(&moment)
        }
    }

    pub(super) fn beliefs_text(&self, beliefs: &Beliefs) -> String {
        render::beliefs(beliefs, self.inspection.at().as_secs_f64())
    }

    pub(super) fn locks_text(&self) -> String {
        render::locks(&self.inspection.locks())
    }

    pub(super) fn waits_text(&self) -> String {
        let nodes: Vec<NodeId> = (0..self.names.len() as u32).map(NodeId).collect();
        let moment = self.inspection.moment(&nodes, Visible { state: Detail::None });
        render::waits(&moment, &self.inspection.waits())
    }

    pub(super) fn islands_text(&self) -> String {
        render::islands(&self.inspection.moment(&[], Visible { state: Detail::None }))
    }

    pub(super) fn faults_text(&self) -> String {
        let scenario = self.inspection.scenario();
        let words = schism_runner::Words::new(scenario);
        let moment = self.inspection.moment(&[], Visible { state: Detail::None });
        let fault = |planned: &schism_models::nemesis::Planned| {
            (planned.id.clone(), words.with_seed(planned, self.inspection.seed()))
        };
        render::faults(&moment, &scenario.faults.iter().map(fault).collect::<Vec<_>>())
    }
}

fn visible(question: Question) -> Visible {
    let state = match (question.verbose, question.named) {
        (true, _) => Detail::Full,
        (false, true) => Detail::Trimmed,
        (false, false) => Detail::None,
    };
    Visible { state }
}

fn helped(message: String, help: Option<String>) -> Trouble {
    let trouble = Trouble::new(message);
    match help {
        Some(help) => trouble.help(help),
        None => trouble,
    }
}

fn refused(why: NotForked, what: &str) -> Trouble {
    match why {
        NotForked::NoFault(id, others) => {
            let help = suggest(&id, others.iter().map(String::as_str).collect::<Vec<_>>());
            helped(format!("there is no fault `{id}`"), help)
        }
        NotForked::Begun(id, since) => Trouble::new(format!(
            "fault `{id}` began at {}s: a fork changes only what is still to come",
            since.as_secs_f64()
        ))
        .help("go back to before that, or change it from the start with `schism run --set`"),
        NotForked::OtherStart(id) => {
            Trouble::new(format!("a fork does not move the beginning of fault `{id}`"))
                .help("change it from the start with `schism run --set`")
        }
        NotForked::NotAFault | NotForked::OtherFaults => Trouble::new(format!(
            "`{what}` is settled when a run begins; a fork changes only faults that have not begun"
        ))
        .help("to change it from the start: schism run FILE --set ..."),
    }
}
