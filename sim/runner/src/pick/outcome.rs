//! What came of a script, as one JSON object.

use schism_models::state::State;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// Who was picked, and what there was to be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    names: Vec<String>,
    /// The ordinals of those that were picked, in order; none where there was nobody to pick.
    pub picks: Vec<Option<u32>>,
    /// The endpoints that the balancer asked for their load, in order, by ordinal.
    pub probes: Vec<u32>,
    /// What became of the keys with each update.
    pub moved: Vec<Moved>,
    /// How many of the script's words nobody has drawn.
    pub randoms_left: usize,
    /// What the balancer shows of itself at the end.
    pub state: State,
}

/// How many keys go elsewhere after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The update's place among the script's steps, from 0.
    pub op: usize,
    /// Who came, by ordinal.
    pub came: Vec<u32>,
    /// Who went, by ordinal.
    pub went: Vec<u32>,
    /// How many different keys and hashes had been asked for until then.
    pub keys: usize,
    /// How many of them go elsewhere.
    pub moved: usize,
    /// How many of those go from one endpoint to another although both were there and still are.
    pub between_old: usize,
}

impl Moved {
    /// The part of the keys that go elsewhere.
    pub fn share(&self) -> f64 {
        self.moved as f64 / self.keys as f64
    }
}

impl Outcome {
    pub(super) fn new(names: Vec<String>) -> Outcome {
        Outcome {
            names,
            picks: Vec::new(),
            probes: Vec::new(),
            moved: Vec::new(),
            randoms_left: 0,
            state: State::empty(),
        }
    }

    /// The name of an endpoint.
    pub fn name(&self, ordinal: u32) -> &str {
        &self.names[ordinal as usize]
    }

    /// The names of those that were picked, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.picks.iter().map(|pick| pick.map(|ordinal| self.name(ordinal)))
    }

    /// How often each was picked of those that ever were, in the order in which they are first listed.
    pub fn histogram(&self) -> Vec<(&str, u64)> {
        let mut counts = vec![0; self.names.len()];
        self.picks.iter().flatten().for_each(|ordinal| counts[*ordinal as usize] += 1);
        self.names.iter().map(String::as_str).zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// As JSON, without a newline at its end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an outcome is JSON")
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("picks", &Each(|| self.names()))?;
        map.serialize_entry("histogram", &Pairs(&self.histogram()))?;
        if !self.moved.is_empty() {
            map.serialize_entry("moved", &Each(|| self.moved.iter().map(|moved| Movers(self, moved))))?;
        }
        if !self.probes.is_empty() {
            map.serialize_entry("probes", &Each(|| self.probes.iter().map(|ordinal| self.name(*ordinal))))?;
        }
        map.serialize_entry("randoms_left", &self.randoms_left)?;
        map.serialize_entry("state", &Shown(&self.state))?;
        map.end()
    }
}

/// A list that is written as it is counted.
struct Each<F>(F);

impl<F: Fn() -> I, I: ExactSizeIterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = self.0();
        let mut list = serializer.serialize_seq(Some(items.len()))?;
        for item in items {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

struct Pairs<'o>(&'o [(&'o str, u64)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

struct Movers<'o>(&'o Outcome, &'o Moved);

impl Serialize for Movers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Movers(outcome, moved) = self;
        let names = |ordinals: &[u32]| -> Vec<&str> { ordinals.iter().map(|it| outcome.name(*it)).collect() };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("op", &moved.op)?;
        map.serialize_entry("came", &names(&moved.came))?;
        map.serialize_entry("went", &names(&moved.went))?;
        map.serialize_entry("keys", &moved.keys)?;
        map.serialize_entry("moved", &moved.moved)?;
        map.serialize_entry("share", &moved.share())?;
        map.serialize_entry("between_old", &moved.between_old)?;
        map.end()
    }
}

struct Shown<'o>(&'o State);

impl Serialize for Shown<'_> {
    /// Whole numbers keep all their bits; one that is no number is nothing.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            State::Table(parts) => {
                serializer.collect_map(parts.iter().map(|(name, part)| (name, Shown(part))))
            }
            State::List(parts) => serializer.collect_seq(parts.iter().map(Shown)),
            State::Text(text) => serializer.serialize_str(text),
            State::Whole(number) => serializer.serialize_u64(*number),
            State::Signed(number) => serializer.serialize_i64(*number),
            State::Number(number) => serializer.serialize_f64(*number),
            State::Flag(flag) => serializer.serialize_bool(*flag),
            State::None => serializer.serialize_unit(),
        }
    }
}
