//! Scripts of `schism pick` as tests write them, and the vectors of real balancers.

use schism_runner::pick::Outcome;
use schism_scenario::pick::Script;
use serde_json::{Value, json};

use crate::repository;

/// The vectors of this file.
pub fn vectors(file: &str) -> Value {
    let path = repository::root().join("tests/data/vectors").join(file);
    serde_json::from_str(&repository::read(&path)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What comes of a script.
pub fn outcome(script: &Value) -> Outcome {
    let script = Script::load("script.json", script.to_string()).unwrap_or_else(|wrong| panic!("{wrong}"));
    schism_runner::pick(&script, |_| {})
}

/// The same as the command prints it.
pub fn answer(script: &Value) -> Value {
    serde_json::from_str(&outcome(script).to_json()).expect("an answer is JSON")
}

/// Endpoints `0`, `1`, ... with these weights.
pub fn weighing(weights: &[u64]) -> Value {
    let endpoint = |(at, weight): (usize, &u64)| json!({ "name": at.to_string(), "weight": weight });
    weights.iter().enumerate().map(endpoint).collect()
}

/// Endpoints `0`, `1`, ... with so many requests in flight to each.
pub fn busy(active: &[u64]) -> Value {
    let endpoint = |(at, active): (usize, &u64)| json!({ "name": at.to_string(), "active": active });
    active.iter().enumerate().map(endpoint).collect()
}

/// So many endpoints `0`, `1`, ...
pub fn plain(count: usize) -> Value {
    (0..count).map(|at| json!({ "name": at.to_string() })).collect()
}

/// Endpoints of these names.
pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// The places of those picked, where endpoints are named by their places.
pub fn places(script: &Value) -> Vec<u64> {
    let outcome = outcome(script);
    outcome.names().map(|name| name.expect("somebody").parse().expect("its place")).collect()
}

/// Those picked.
pub fn picked(script: &Value) -> Vec<String> {
    outcome(script).names().map(|name| name.expect("somebody").to_owned()).collect()
}

/// A list of whole numbers.
pub fn wholes(list: &Value) -> Vec<u64> {
    items(list).iter().map(whole).collect()
}

/// A whole number, be it in quotes.
pub fn whole(value: &Value) -> u64 {
    let quoted = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(quoted).unwrap_or_else(|| panic!("{value} is a whole number"))
}

/// A list.
pub fn items(list: &Value) -> &[Value] {
    list.as_array().unwrap_or_else(|| panic!("{list} is a list"))
}

/// A text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}
