//! Smaller values: less load, shorter runs, defaults, and constants in the place of distributions.

use schism_core::{Duration, Time};
use schism_models::node::Process;
use schism_scenario::Document;

use super::Stage;
use super::work::Work;

/// What a group cannot do without, or what says who is in it.
const ESSENTIAL: &[&str] = &[
    "instances",
    "count",
    "members",
    "zones",
    "service",
    "calls",
    "operation",
    "arrivals",
    "labels",
    "match",
];

/// How much longer than its failure a run stays while faults and nodes are still to go: without them it may fail later.
const SLACK: u64 = 4;

impl<P: Process> Work<'_, P> {
    /// The run ends soon after its failure, so that all further runs are short.
    pub(super) fn cut_short(&mut self) {
        if let Some(at) = self.failed_at() {
            let after = at.since(Time::START);
            self.end_at(after + after / SLACK + Duration::from_millis(1_000));
        }
    }

    /// The run ends just after its failure; where that is judged at the end, as soon as it still fails.
    pub(super) fn shorten(&mut self) {
        self.enter(Stage::Length);
        match self.failed_at() {
            Some(at) => {
                self.end_at(at.since(Time::START) + Duration::from_nanos(1));
            }
            None => {
                let length = self.scenario.length;
                for parts in [1, 2, 3] {
                    if self.end_at(length / 4 * parts) {
                        break;
                    }
                }
            }
        }
    }

    /// The run ends at the next whole second; what was to begin later does not.
    fn end_at(&mut self, length: Duration) -> bool {
        let second = 1_000_000_000;
        let length = Duration::from_nanos(length.as_nanos().div_ceil(second) * second);
        if length >= self.scenario.length {
            return false;
        }
        let end = Time::START + length;
        let late = |id: &String| self.began(id).is_none_or(|began| began >= end);
        let going: Vec<String> = self.document.faults().into_iter().filter(late).collect();
        let shorter = super::faults::without(&self.document, &going).with("length", &format!("\"{length}\""));
        let shorter = shorter.map(|shorter| healed_before(shorter, end));
        self.attempt(shorter)
    }

    /// Clients ask for less: rates go down. Times stay, for who thinks for a shorter time asks for more.
    pub(super) fn lighten(&mut self) {
        self.enter(Stage::Load);
        for group in self.document.names("clients") {
            for path in self.document.leaves(&format!("clients.{group}.arrivals")) {
                if self.document.text(&path).is_none_or(|value| nanos(&value).is_none()) {
                    self.reduce(&path);
                }
            }
        }
    }

    /// Options go back to their defaults: all at once, then one by one.
    pub(super) fn restore_defaults(&mut self) {
        self.enter(Stage::Defaults);
        let mut paths: Vec<String> = vec!["warmup".to_owned(), "network.loss".to_owned()];
        for table in ["registry", "services", "clients"] {
            for name in self.document.names(table) {
                let path = format!("{table}.{name}");
                let keys =
                    self.document.keys(&path).into_iter().filter(|key| !ESSENTIAL.contains(&key.as_str()));
                paths.extend(keys.map(|key| format!("{path}.{key}")));
            }
        }
        let all = paths
            .iter()
            .fold(self.document.clone(), |document, path| document.without(path).unwrap_or(document));
        if !self.attempt(Some(all)) {
            for path in paths {
                self.attempt(self.document.without(&path));
            }
        }
    }

    /// What is drawn from a distribution always takes its typical time.
    pub(super) fn make_constant(&mut self) {
        self.enter(Stage::Constants);
        let mut paths: Vec<String> = vec!["network.same-zone".to_owned(), "network.cross-zone".to_owned()];
        for table in ["registry", "services"] {
            for name in self.document.names(table) {
                let keys = self.document.keys(&format!("{table}.{name}"));
                paths.extend(keys.into_iter().map(|key| format!("{table}.{name}.{key}")));
            }
        }
        let constants: Vec<(String, String)> = paths
            .into_iter()
            .filter_map(|path| typical(&self.document, &path).map(|time| (path, time)))
            .collect();
        let all = constants.iter().fold(self.document.clone(), |document, (path, time)| {
            document.with(path, time).unwrap_or(document)
        });
        if !self.attempt(Some(all)) {
            for (path, time) in constants {
                self.attempt(self.document.with(&path, &time));
            }
        }
    }
}

/// Faults that are told to be healed after the end of the run are not healed in it.
fn healed_before(document: Document, end: Time) -> Document {
    document.faults().into_iter().fold(document, |document, id| {
        let path = format!("fault.{id}.until");
        let until = document.text(&path).and_then(|until| nanos(&until));
        if until.is_some_and(|until| until >= end.as_nanos()) {
            document.without(&path).unwrap_or(document)
        } else {
            document
        }
    })
}

/// The typical time of the distribution at a path, in TOML; `None` if there is none, or a constant.
fn typical(document: &Document, path: &str) -> Option<String> {
    let names = document.keys(path);
    let [name] = &names[..] else { return None };
    let key = match name.as_str() {
        "exponential" | "normal" => "mean",
        "lognormal" => "p50",
        "uniform" => "from",
        "pareto" => "scale",
        _ => return None,
    };
    document.get(&format!("{path}.{name}.{key}"))
}

/// A time, a share, a rate or a count, divided; `None` of what is none of these, or cannot be less.
pub(super) fn less(value: &str, by: u64) -> Option<String> {
    if let Ok(count) = value.parse::<u64>() {
        return (count > 1).then(|| (count / by).max(1).to_string());
    }
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    if let Some(nanos) = nanos(text) {
        let less = coarse(nanos / by);
        return (less > 0).then(|| format!("\"{}\"", Duration::from_nanos(less)));
    }
    for unit in ["%", "/s", "/min", "/h"] {
        if let Some(number) = text.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok()) {
            let less = (number / by as f64).floor().max(1.0);
            return (less < number).then(|| format!("\"{less}{unit}\""));
        }
    }
    None
}

/// A factor, nearer to one.
pub(super) fn milder(value: &str) -> Option<String> {
    let factor: f64 = value.parse().ok().filter(|factor| *factor > 1.1)?;
    Some(format!("{:?}", ((1.0 + factor) / 2.0 * 100.0).round() / 100.0))
}

/// A time without the digits that nobody reads.
fn coarse(nanos: u64) -> u64 {
    let unit = match nanos {
        0..10_000 => 1,
        10_000..10_000_000 => 1_000,
        10_000_000..10_000_000_000 => 1_000_000,
        _ => 100_000_000,
    };
    nanos / unit * unit
}

/// A time as it is written by us: one number and one unit.
fn nanos(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let per = match &text[digits.len()..] {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some((digits.parse::<f64>().ok()? * per).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_half_of_what_can_be_halved() {
        let half = |value: &str| less(value, 2);
        assert_eq!(half("\"15s\"").as_deref(), Some("\"7.5s\""));
        assert_eq!(half("\"30%\"").as_deref(), Some("\"15%\""));
        assert_eq!(half("\"100/s\"").as_deref(), Some("\"50/s\""));
        assert_eq!(half("7").as_deref(), Some("3"));
        for value in ["1", "\"orders-3\"", "true", "\"0s\"", "\"0%\"", "2.5"] {
            assert_eq!(half(value), None, "{value}");
        }
        assert_eq!(milder("5.0").as_deref(), Some("3.0"));
        assert_eq!(milder("1.0"), None);
    }
}
