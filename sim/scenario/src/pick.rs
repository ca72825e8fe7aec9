//! Scripts of `schism pick`: one balancer, its endpoints, and what is done with it, as meant.

mod names;
mod read;

use schism_core::{Duration, Seed, ZoneId};
use schism_models::balancer::Seat;
use schism_models::listing::{Endpoint, Labels};
use schism_models::load::Load;
use schism_models::locality::Standing;
use schism_models::observation::Outcome;
use schism_models::picker;

use crate::diagnostics::{Diagnostics, Language, Problem, Report};
use crate::source::{Place, Sources};
use crate::{json, limits};

/// All that is to be done with one balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The balancer, and where it looks.
    pub picker: picker::Config,
    /// The seed of what is drawn when `randoms` have run out.
    pub seed: Seed,
    /// The first words that are drawn, in order.
    pub randoms: Vec<u64>,
    /// Who picks.
    pub client: Client,
    /// The zones by number.
    pub zones: Vec<String>,
    /// All endpoints that are ever listed, by ordinal: in the order in which they first come.
    pub names: Vec<String>,
    /// What each of them is labelled with.
    pub labels: Vec<Labels>,
    /// The priority level of each of them, if it was given one.
    pub priorities: Vec<Option<u32>>,
    /// The list at the start.
    pub endpoints: Vec<Listed>,
    /// What is done, in order.
    pub ops: Vec<Op>,
}

/// Who picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its number, and how many there are.
    pub seat: Seat,
    /// Its zone.
    pub zone: ZoneId,
    /// How many clients each zone has, by number.
    pub locals: Vec<u32>,
}

/// An endpoint as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What the registry says of it.
    pub endpoint: Endpoint,
    /// How it is.
    pub standing: Standing,
    /// How many requests are in flight to it from now on; none to leave that as it is.
    pub active: Option<u32>,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// One request is sent.
    Pick(Ask),
    /// Several are.
    Picks(Many),
    /// A request is over, and the balancer learns how it went.
    Reply(Reply),
    /// A request to this endpoint is over, and the balancer learns nothing of it.
    Done(u32),
    /// Time passes.
    Advance(Duration),
    /// There is another list.
    Update(Vec<Listed>),
    /// This endpoint answers a probe.
    Probe(u32, Load),
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What it is about.
    pub about: About,
    /// Which attempt it is, from 0.
    pub attempt: u32,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Nothing that a balancer could go by.
    Nothing,
    /// Something that has this hash.
    Hash(u64),
    /// This key.
    Key(String),
}

/// Several requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many {
    /// How many.
    pub count: u32,
    /// Their keys, if they have any.
    pub keys: Option<Keys>,
    /// Which attempt each is, from 0.
    pub attempt: u32,
}

/// Keys with a number in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    before: String,
    after: String,
    from: u64,
}

impl Keys {
    /// The key with this number, from 0.
    pub fn key(&self, number: u32) -> String {
        format!("{}{}{}", self.before, self.from.wrapping_add(number.into()), self.after)
    }
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply {
    /// The endpoint's ordinal.
    pub endpoint: u32,
    /// How long it took; by default the time since the oldest one without a reply.
    pub latency: Option<Duration>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the endpoint reported, if it did.
    pub load: Option<Load>,
}

impl Script {
    /// Reads a script, and checks all of it. `name` is what the messages call the file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the file; at most [`limits::ERRORS`] are listed.
    pub fn load(name: &str, text: impl AsRef<[u8]>) -> Result<Script, Diagnostics> {
        let report = Report::of(Language::Json);
        let mut sources = Sources::default();
        let script = parse(name, text.as_ref(), &mut sources, &report);
        let (diagnostics, _) = report.into_diagnostics(sources);
        match script {
            Some(script) if diagnostics.is_empty() => Ok(script),
            Some(_) | None => {
                assert!(!diagnostics.is_empty(), "a script is refused for a reason");
                Err(diagnostics)
            }
        }
    }
}

/// The JSON Schema (draft 2020-12) of a script.
pub fn schema() -> serde_json::Value {
    crate::schema::of_pick()
}

fn parse(name: &str, bytes: &[u8], sources: &mut Sources, report: &Report) -> Option<Script> {
    let (file, text) = crate::text(name, bytes, limits::PICK_BYTES, sources, report)?;
    let tree = json::parse(file, text, report)?;
    if tree.as_table().is_none() {
        let message = format!("a script is one object, not {}", tree.kind());
        report.add(
            Problem::error(Place { end: tree.place.start + 1, ..tree.place }, message).help("write { .. }"),
        );
        return None;
    }
    read::script(&tree, report)
}
