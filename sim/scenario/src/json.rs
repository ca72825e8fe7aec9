//! JSON as the same tree that TOML becomes, every value with its place, so that one reader reads both.

use std::collections::BTreeMap;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::diagnostics::{Problem, Report, shorten};
use crate::limits;
use crate::source::Place;
use crate::tree::{Entry, Node, Table, Tree};

/// JSON as RFC 8259 has it, and nothing beyond: other programs write and read these files too.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a whole file. What is no JSON is reported; then there is no tree.
pub(crate) fn parse(source: u32, text: &str, report: &Report) -> Option<Tree> {
    if let Err(problem) = measure(source, text) {
        report.add(problem);
        return None;
    }
    match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => match parsed.value {
            Some(value) => Some(of_value(source, value, report)),
            None => {
                let place = Place::new(source, 0..0);
                report.add(Problem::error(place, "there is nothing in it").help("write one object: {}"));
                None
            }
        },
        Err(error) => {
            report.add(syntax(source, &error));
            None
        }
    }
}

/// Refuses what is nested too deep or has too many values, before anything is built of it.
fn measure(source: u32, text: &str) -> Result<(), Problem> {
    let (mut depth, mut values, mut is_text, mut is_escaped) = (0_u64, 1_u64, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if is_text {
            is_text = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'[' | b'{' => (depth, values) = (depth + 1, values + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        for (count, limit) in [(depth, limits::JSON_DEPTH), (values, limits::JSON_VALUES)] {
            if count > limit.most {
                let message = format!("more than {} {}", limit.most, limit.of);
                return Err(Problem::error(Place::new(source, at..at + 1), message).help(limit.why));
            }
        }
    }
    Ok(())
}

fn of_value(source: u32, value: Value<'_>, report: &Report) -> Tree {
    let place = place(source, value.range());
    let node = match value {
        Value::StringLit(text) => Node::Text(text.value.into_owned()),
        // A number is kept as it was written, so that one of 64 bits loses none of them.
        Value::NumberLit(number) if number.value.contains(['.', 'e', 'E']) => {
            Node::Float(number.value.parse().unwrap_or(f64::NAN))
        }
        Value::NumberLit(number) => Node::Integer(number.value.parse().ok()),
        Value::BooleanLit(flag) => Node::Flag(flag.value),
        Value::Array(list) => {
            Node::List(list.elements.into_iter().map(|item| of_value(source, item, report)).collect())
        }
        Value::Object(object) => Node::Table(of_object(source, object.properties, report)),
        Value::NullKeyword(_) => {
            report.add(Problem::error(place, "`null` stands for nothing here").help("leave it out"));
            Node::Table(Table::default())
        }
    };
    Tree { place, node }
}

fn of_object(source: u32, properties: Vec<ObjectProp<'_>>, report: &Report) -> Table {
    let mut entries: Vec<Entry> = Vec::with_capacity(properties.len());
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for property in properties {
        let place = place(source, property.name.range());
        let key = property.name.into_string();
        if let Some(first) = seen.insert(key.clone(), place) {
            report.add(
                Problem::error(place, format!("`{}` is there twice", shorten(&key)))
                    .related(first, "the first is here")
                    .help("a key is given once in an object: remove or rename one of the two"),
            );
        }
        entries.push(Entry { place, key, value: of_value(source, property.value, report) });
    }
    Table { entries }
}

fn place(source: u32, range: Range) -> Place {
    Place::new(source, range.start..range.end)
}

fn syntax(source: u32, error: &ParseError) -> Problem {
    let said = error.kind().to_string();
    let mut letters = said.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let said: String = first.into_iter().chain(letters).collect();
    Problem::error(place(source, error.range()), format!("not valid JSON: {said}"))
        .maybe_help(remedy(error.kind()).map(str::to_owned))
}

/// What to do about the mistakes that are made most.
fn remedy(kind: &ParseErrorKind) -> Option<&'static str> {
    use ParseErrorKind as Kind;

    let remedies = [
        (matches!(kind, Kind::CommentsNotAllowed), "JSON has no comments: leave it out"),
        (matches!(kind, Kind::TrailingCommasNotAllowed), "remove the comma after the last one"),
        (
            matches!(
                kind,
                Kind::ExpectedStringObjectProperty
                    | Kind::SingleQuotedStringsNotAllowed
                    | Kind::UnexpectedWord
            ),
            "put it in double quotes: \"...\"",
        ),
        (matches!(kind, Kind::HexadecimalNumbersNotAllowed), "write it in decimal"),
        (matches!(kind, Kind::MultipleRootJsonValues), "one file is one object"),
    ];
    remedies.into_iter().find_map(|(is_it, remedy)| is_it.then_some(remedy))
}
