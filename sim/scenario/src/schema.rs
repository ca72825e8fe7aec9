//! The JSON Schema of a scenario file, made from the grammar, so that an editor completes what the reader takes.

use schism_models::oracle;
use serde_json::{Map, Value, json};

use crate::chaos;
use crate::grammar::{self, Argument, Choice, Key, Least, Presence, Shape};
use crate::limits::{self, Limit};
use crate::units::{
    BIT_RATE_PATTERN, DURATION_PATTERN, OFFSET_PATTERN, RATE_PATTERN, SHARE_PATTERN, SIZE_PATTERN,
};
use crate::{Metric, knobs};

/// The JSON Schema (draft 2020-12) of a scenario file, for `#:schema scenario.schema.json` in its first line.
///
/// What one key alone can be wrong about is in it; what two have to do with each other is for [`load`](crate::load).
pub fn schema() -> Value {
    whole("Schism scenario", "What runs, what goes wrong, and what must hold", grammar::SCENARIO)
}

/// The JSON Schema of a script for `schism pick`.
pub(crate) fn of_pick() -> Value {
    whole("Schism pick", "One balancer, its endpoints, and what is done with it", grammar::PICK)
}

/// That of a file with these keys.
fn whole(title: &str, about: &str, keys: &[Key]) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(title));
    schema.insert("description".into(), json!(about));
    let Value::Object(top) = table(keys) else { unreachable!("a table is an object") };
    schema.extend(top);
    schema.insert("$defs".into(), definitions());
    Value::Object(schema)
}

/// What is used in many places.
fn definitions() -> Value {
    json!({
        "duration": {
            "description": "A time: a number and a unit (ns, us, ms, s, m, h, d), or several as in \"1m30s\"",
            "type": "string",
            "pattern": DURATION_PATTERN,
            "examples": ["250ms", "1.5s", "2m"],
        },
        "positive": { "allOf": [{ "$ref": "#/$defs/duration" }, { "pattern": "[1-9]" }] },
        "share": {
            "description": "A share in percent",
            "type": "string",
            "pattern": SHARE_PATTERN,
            "examples": ["15%", "0.01%"],
        },
        "rate": {
            "description": "A rate: a number, and /s, /min or /h",
            "type": "string",
            "pattern": RATE_PATTERN,
            "examples": ["100/s", "6/min"],
        },
        "bit-rate": {
            "description": "The capacity of a link: a number, and bit/s, kbit/s, Mbit/s or Gbit/s",
            "type": "string",
            "pattern": BIT_RATE_PATTERN,
            "examples": ["10Mbit/s", "1Gbit/s"],
        },
        "size": {
            "description": "A number of bytes: a number, and B, kB, KiB, MB, MiB, GB or GiB",
            "type": "string",
            "pattern": SIZE_PATTERN,
            "examples": ["256KiB"],
        },
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$",
            "maxLength": limits::NAME_BYTES,
        },
        "target": {
            "description": "A node (orders-3), a group (orders), zone:b, rest, or a group with :leader, :followers, \
                            :minority, :majority, :one, :pick(2), :20%, :in(zone:b)",
            "type": "string",
            "examples": ["orders-3", "orders", "zone:b", "rest", "registry:leader", "orders:pick(2)", "orders:20%"],
        },
        "targets": {
            "anyOf": [
                { "$ref": "#/$defs/target" },
                { "type": "array", "items": { "$ref": "#/$defs/target" }, "minItems": 1, "maxItems": limits::TARGETS.most },
            ],
        },
        "distribution": {
            "description": "A distribution of times: one time for a constant, or a table with the name of a distribution",
            "anyOf": [{ "$ref": "#/$defs/duration" }, strategies(&grammar::DISTRIBUTION)],
        },
    })
}

/// A table with these keys and no others.
fn table(keys: &[Key]) -> Value {
    let written = || keys.iter().filter(|key| !key.is_later());
    let properties: Map<String, Value> = written().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        written().filter(|key| key.presence == Presence::Required).map(|key| key.name).collect();
    let mut table = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    for (rule, value) in rules(keys) {
        table[rule] = value;
    }
    table
}

/// Keys of one table of which one must be there, or not both.
fn rules(keys: &[Key]) -> Vec<(&'static str, Value)> {
    let one_of =
        |names: &[&str]| -> Value { names.iter().map(|name| json!({ "required": [name] })).collect() };
    let has = |name: &str| keys.iter().any(|key| key.name == name);
    let not_both = |a: &str, b: &str| json!({ "not": { "required": [a, b] } });
    if has("may-miss") {
        let kind = json!({ "oneOf": one_of(grammar::WHATS) });
        let start = json!({ "oneOf": one_of(grammar::STARTS) });
        let waits = json!({ "if": { "required": ["after"] }, "then": { "required": ["when"] } });
        return vec![("allOf", json!([kind, start, waits, not_both("for", "until")]))];
    }
    if has("then") {
        let kind = json!({ "oneOf": one_of(crate::fault::KINDS) });
        return vec![("allOf", json!([kind, not_both("for", "until")]))];
    }
    if has("below") {
        return vec![("anyOf", one_of(&["below", "above"]))];
    }
    if has("existing") {
        return vec![("oneOf", one_of(crate::fault::SHAPES))];
    }
    if has("half-open") {
        return vec![("oneOf", one_of(crate::fault::FAILURES))];
    }
    if has("between") && has("target") {
        return vec![("oneOf", one_of(crate::fault::ENDS))];
    }
    if has("drift") {
        return vec![("oneOf", one_of(crate::fault::WRONGS))];
    }
    if has("lost-fsync") {
        return vec![("oneOf", one_of(crate::fault::BADS))];
    }
    if has("out") {
        return vec![("oneOf", one_of(crate::fault::WAYS))];
    }
    if has("staged") {
        return vec![("oneOf", one_of(crate::fault::CONFIGS))];
    }
    if has("hot-key") {
        return vec![("oneOf", one_of(crate::fault::HOWS))];
    }
    if has("advance") {
        return vec![("oneOf", one_of(grammar::OPS))];
    }
    if has("hash") && has("attempt") {
        return vec![("allOf", json!([not_both("hash", "key")]))];
    }
    if has("healthy") {
        return vec![("allOf", json!([not_both("healthy", "health")]))];
    }
    if has("metric") {
        let bounds = json!({ "anyOf": one_of(&["at-least", "at-most"]) });
        let bounded = json!({ "if": { "required": ["metric"] }, "then": bounds });
        return vec![("oneOf", one_of(grammar::ASKS)), ("allOf", json!([bounded]))];
    }
    if has("zone") && has("zones") {
        return vec![("allOf", json!([not_both("zone", "zones")]))];
    }
    Vec::new()
}

fn property(key: &Key) -> Value {
    let mut property = shape(key.shape);
    property["description"] = json!(key.about);
    if let Presence::Default(text) = key.presence {
        property["default"] = default(text);
    }
    property
}

fn default(text: &str) -> Value {
    let table: toml::Table =
        toml::from_str(&format!("it = {text}")).expect("the defaults of the grammar are TOML");
    serde_json::to_value(&table["it"]).expect("TOML without dates is JSON")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Count(limit) => count(limit),
        Shape::Number => json!({ "type": "number", "minimum": 0 }),
        Shape::NumberWithin(least, most) => within(least, most),
        Shape::NumberOr(least, most, word) => json!({ "anyOf": [within(least, most), { "const": word }] }),
        Shape::Percent(_, None) => percentage(),
        Shape::Percent(_, Some(word)) => json!({ "anyOf": [percentage(), { "const": word }] }),
        Shape::SomeWords(words) => {
            json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true })
        }
        Shape::Counts(limit) => json!({ "type": "object", "additionalProperties": count(limit) }),
        Shape::Duration(Least::Zero) => reference("duration"),
        Shape::Duration(Least::Positive) => reference("positive"),
        Shape::DurationOr(word) => json!({ "anyOf": [reference("positive"), { "const": word }] }),
        Shape::CountOr(limit, word) => json!({ "anyOf": [count(limit), { "const": word }] }),
        Shape::Share => reference("share"),
        Shape::Offset => json!({ "type": "string", "pattern": OFFSET_PATTERN }),
        Shape::PartsPerMillion => {
            json!({ "type": "integer", "minimum": limits::DRIFT.start(), "maximum": limits::DRIFT.end() })
        }
        Shape::Factor => {
            json!({ "type": "number", "minimum": limits::FACTOR.least, "maximum": limits::FACTOR.most })
        }
        Shape::Batch(limit) => json!({ "anyOf": [count(limit), reference("share")] }),
        Shape::Rate => reference("rate"),
        Shape::Word(words) => json!({ "type": "string", "enum": words.there }),
        Shape::Name => reference("name"),
        Shape::Oracle(mood) => {
            let oracles = oracle::CATALOG.iter().filter(|entry| entry.moods.contains(&mood));
            self::oracles(oracles.collect())
        }
        Shape::Metric => names(Metric::CATALOG.iter().map(|(name, about, _)| (*name, *about)).collect()),
        Shape::LiveMetric => {
            let live = Metric::CATALOG.iter().filter(|(.., metric)| metric.is_live());
            names(live.map(|(name, about, _)| (*name, *about)).collect())
        }
        Shape::Names => {
            json!({ "type": "array", "items": reference("name"), "minItems": 1, "uniqueItems": true })
        }
        Shape::Lists => {
            let list = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
            json!({ "type": "array", "items": list, "minItems": 1 })
        }
        Shape::Texts => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Labels => {
            let counts = json!({ "type": "object", "additionalProperties": count(limits::LABELS) });
            json!({ "type": "object", "additionalProperties": counts })
        }
        Shape::Selectors(keys) => {
            let names = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
            json!({ "type": "array", "items": { "anyOf": [names, table(keys)] }, "minItems": 1 })
        }
        Shape::Distribution => reference("distribution"),
        Shape::TwoTimes => {
            json!({ "type": "array", "items": reference("duration"), "minItems": 2, "maxItems": 2 })
        }
        Shape::Times => {
            json!({ "type": "array", "items": reference("duration"), "minItems": 1, "maxItems": limits::OBSERVATIONS.most })
        }
        Shape::Targets => reference("targets"),
        Shape::Sides => {
            json!({ "type": "array", "items": { "type": "array", "items": reference("target"), "minItems": 1 }, "minItems": 2 })
        }
        Shape::Pairs => {
            let pair = json!({ "type": "array", "items": reference("target"), "minItems": 2, "maxItems": 2 });
            json!({ "type": "array", "items": pair, "minItems": 1 })
        }
        Shape::TwoNames => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 })
        }
        Shape::Between => {
            json!({ "type": "array", "items": reference("targets"), "minItems": 2, "maxItems": 2 })
        }
        Shape::Direction => {
            json!({ "anyOf": [{ "enum": crate::fault::DIRECTIONS }, { "type": "string", "pattern": "->" }] })
        }
        Shape::WordsOr(words, all) => {
            let some =
                json!({ "type": "array", "items": { "enum": words }, "minItems": 1, "uniqueItems": true });
            json!({ "anyOf": [{ "const": all }, some] })
        }
        Shape::BitRate => reference("bit-rate"),
        Shape::Size => reference("size"),
        Shape::WordOr(words, keys) => json!({ "anyOf": [{ "enum": words }, table(keys)] }),
        Shape::Short(keys) => json!({ "anyOf": [reference("targets"), { "const": true }, table(keys)] }),
        Shape::OneWay => {
            json!({ "anyOf": [{ "type": "string", "pattern": "->" }, table(crate::fault::ONE_WAY)] })
        }
        Shape::When => json!({ "anyOf": [{ "type": "string" }, table(grammar::LINE)] }),
        Shape::Wait => json!({ "anyOf": [reference("duration"), self::shape(Shape::TwoTimes)] }),
        Shape::Alternatives => {
            let mut alternative = table(grammar::ALTERNATIVE);
            (alternative["minProperties"], alternative["maxProperties"]) = (json!(1), json!(1));
            json!({ "type": "array", "items": alternative, "minItems": 1, "maxItems": limits::ALTERNATIVES.most })
        }
        Shape::Window => json!({ "anyOf": [{ "type": "string" }, table(grammar::BETWEEN)] }),
        Shape::Bound => json!({ "anyOf": [{ "type": "string" }, { "type": "number" }] }),
        Shape::Table(keys) => table(keys),
        Shape::TargetsOr(keys) => json!({ "anyOf": [reference("targets"), table(keys)] }),
        Shape::Named(keys) => {
            json!({ "type": "object", "propertyNames": reference("name"), "additionalProperties": table(keys) })
        }
        Shape::List(keys) => json!({ "type": "array", "items": table(keys) }),
        Shape::Bits => bits(),
        Shape::ManyBits => json!({ "type": "array", "items": bits() }),
        Shape::CountWith(limit, keys) => json!({ "anyOf": [count(limit), table(keys)] }),
        Shape::Varied => {
            let drawn = json!({ "anyOf": [{ "type": "array", "minItems": 1 }, table(grammar::VARIED)] });
            json!({ "type": "object", "additionalProperties": drawn })
        }
        Shape::Values => json!({ "type": "array", "minItems": 1 }),
        Shape::Families => families(),
        Shape::TwoCounts(limit) => {
            json!({ "type": "array", "items": count(limit), "minItems": 2, "maxItems": 2 })
        }
        Shape::Batches(limit) => {
            let batch = self::shape(Shape::Batch(limit));
            json!({ "type": "object", "additionalProperties": batch })
        }
        Shape::Choice(choice) => self::choice(choice),
    }
}

/// Kinds of chaos: each a word, or a table with one key and the groups that it strikes.
fn families() -> Value {
    let all: Vec<(&str, &str)> = chaos::CATALOG.iter().map(|kind| (kind.name, kind.about)).collect();
    let groups = json!({ "anyOf": [reference("name"), shape(Shape::Names)] });
    let properties: Map<String, Value> =
        all.iter().map(|(name, _)| ((*name).to_owned(), groups.clone())).collect();
    let aimed = json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 });
    json!({ "type": "array", "items": { "anyOf": [names(all), aimed] }, "minItems": 1 })
}

fn percentage() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+%$" })
}

fn within(least: f64, most: f64) -> Value {
    json!({ "type": "number", "minimum": least, "maximum": most })
}

/// A word of 64 bits: beyond 53 of them some programs write a JSON number only roughly, so a text will do.
fn bits() -> Value {
    json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]{1,20}$" }] })
}

fn count(limit: Limit) -> Value {
    let mut count = json!({ "type": "integer", "minimum": limit.least });
    // Beyond this a JSON number is not exact.
    if limit.most <= 1 << 53 {
        count["maximum"] = json!(limit.most);
    }
    count
}

/// Names with what they mean, which Taplo shows beside each.
fn names(names: Vec<(&str, &str)>) -> Value {
    let (names, about): (Vec<&str>, Vec<&str>) = names.into_iter().unzip();
    json!({ "type": "string", "enum": names, "x-taplo": { "docs": { "enumValues": about } } })
}

/// A bare name where that is enough, or a table with one key.
fn choice(choice: &Choice) -> Value {
    let bare = |name: &str| matches!((choice.argument)(name), Argument::Options(_));
    let bare: Vec<_> = (choice.names)().into_iter().filter(|(name, _)| bare(name)).collect();
    if bare.is_empty() {
        return strategies(choice);
    }
    json!({ "anyOf": [names(bare), strategies(choice)] })
}

/// A bare name, or a table with one key and its options.
fn oracles(entries: Vec<&'static oracle::Entry>) -> Value {
    let bare = entries.iter().map(|entry| (entry.name, entry.about)).collect();
    let with_options = |entry: &oracle::Entry| {
        let mut options = table(knobs::of_oracle(entry.name));
        options["description"] = json!(entry.about);
        (entry.name.to_owned(), options)
    };
    let options: Map<String, Value> = entries.into_iter().map(with_options).collect();
    json!({ "anyOf": [names(bare), one_of(options)] })
}

/// A table with one of these keys.
fn one_of(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 })
}

fn strategies(choice: &Choice) -> Value {
    let strategy = |(name, about): (&'static str, &'static str)| {
        let mut strategy = match (choice.argument)(name) {
            Argument::Options(keys) | Argument::Table(keys) => table(keys),
            Argument::Value(one) => shape(one),
            Argument::ValueOr(one, keys) => json!({ "anyOf": [shape(one), table(keys)] }),
        };
        strategy["description"] = json!(about);
        (name.to_owned(), strategy)
    };
    one_of((choice.names)().into_iter().map(strategy).collect())
}
