//! Endpoints with the labels that a client asks for: Envoy's subset load balancer.
//!
//! Source: subset_lb.cc of envoyproxy/envoy at 009cbee and its subsets.rst. A subset is chosen only if what the client
//! asks for has exactly the names of one selector and some endpoint has all of it; otherwise there is a fallback. Not
//! modelled: the fallback to fewer keys (`KEYS_SUBSET`), metadata fallback lists, redundant keys, lists as values.

use crate::listing::{Endpoint, Roster};

/// What a client asks for, and what it may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Labels {
    /// What its endpoints should have: names and values, sorted by name.
    pub wanted: Vec<(String, String)>,
    /// The names that may be asked for together.
    pub selectors: Vec<Selector>,
    /// What is used if nothing fits, unless the selector says otherwise.
    pub fallback: Fallback,
    /// What endpoints have that are used with [`Fallback::DefaultSubset`].
    pub default: Vec<(String, String)>,
}

/// Names that may be asked for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The names.
    pub keys: Vec<String>,
    /// What is used if no endpoint has what was asked for with these names; `None` is as for all.
    pub fallback: Option<Fallback>,
}

/// What is used if nothing fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fallback {
    /// Nobody: Envoy's default.
    #[default]
    NoFallback,
    /// Any endpoint.
    AnyEndpoint,
    /// The endpoints of the default subset.
    DefaultSubset,
}

impl Fallback {
    /// How each is written.
    pub const WORDS: &'static [&'static str] = &["no-fallback", "any-endpoint", "default-subset"];

    /// The one that is written so.
    pub fn of_word(word: &str) -> Option<Fallback> {
        match word {
            "no-fallback" => Some(Fallback::NoFallback),
            "any-endpoint" => Some(Fallback::AnyEndpoint),
            "default-subset" => Some(Fallback::DefaultSubset),
            _ => None,
        }
    }

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Fallback::NoFallback => "no-fallback",
            Fallback::AnyEndpoint => "any-endpoint",
            Fallback::DefaultSubset => "default-subset",
        }
    }
}

impl Labels {
    /// Which of these endpoints the client uses.
    pub fn of(&self, endpoints: &[Endpoint], roster: &Roster) -> Vec<Endpoint> {
        let selector = self.selectors.iter().find(|selector| selector.is_for(&self.wanted));
        let matching = selector.map_or_else(Vec::new, |_| those(endpoints, roster, &self.wanted));
        if !matching.is_empty() {
            return matching;
        }
        match selector.and_then(|selector| selector.fallback).unwrap_or(self.fallback) {
            Fallback::NoFallback => Vec::new(),
            Fallback::AnyEndpoint => endpoints.to_vec(),
            Fallback::DefaultSubset => those(endpoints, roster, &self.default),
        }
    }
}

impl Selector {
    /// Whether these are exactly its names. Nothing at all is nobody's.
    fn is_for(&self, wanted: &[(String, String)]) -> bool {
        let has = |(name, _): &(String, String)| self.keys.contains(name);
        !wanted.is_empty() && wanted.len() == self.keys.len() && wanted.iter().all(has)
    }
}

/// The endpoints that have all of these labels.
fn those(endpoints: &[Endpoint], roster: &Roster, labels: &[(String, String)]) -> Vec<Endpoint> {
    let has = |ordinal| labels.iter().all(|(name, value)| roster.label(ordinal, name) == Some(value));
    endpoints.iter().filter(|endpoint| has(endpoint.ordinal)).copied().collect()
}
