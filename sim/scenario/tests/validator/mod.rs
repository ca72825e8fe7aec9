//! As much of a JSON Schema validator as Schism's own schema needs. A keyword it does not know is a failure, never a pass.

use regex_lite::Regex;
use serde_json::{Map, Value};

/// What is wrong with a value, if anything.
pub(crate) fn wrong(root: &Value, value: &Value) -> Option<String> {
    Validator { root }.schema(root, value, "")
}

struct Validator<'s> {
    root: &'s Value,
}

type Wrong = Option<String>;

impl Validator<'_> {
    fn schema(&self, schema: &Value, value: &Value, path: &str) -> Wrong {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(true) => return None,
            Value::Bool(false) => return Some(format!("{path}: not allowed")),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                panic!("{schema} is no schema")
            }
        };
        keywords.iter().find_map(|(keyword, rule)| self.keyword(keyword, rule, keywords, value, path))
    }

    fn keyword(
        &self,
        keyword: &str,
        rule: &Value,
        all: &Map<String, Value>,
        value: &Value,
        path: &str,
    ) -> Wrong {
        let fails = |holds: bool| (!holds).then(|| format!("{path}: {keyword} of {rule} fails {value}"));
        let length = || value.as_array().map(Vec::len);
        let passing =
            || rule.as_array().unwrap().iter().filter(|one| self.schema(one, value, path).is_none()).count();
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "x-taplo" | "then" => {
                None
            }
            "$ref" => {
                let target = self.root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap());
                self.schema(target.expect("a reference leads somewhere"), value, path)
            }
            "type" => fails(match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            }),
            "enum" => fails(rule.as_array().unwrap().contains(value)),
            "const" => fails(rule == value),
            "pattern" => {
                let regex = Regex::new(rule.as_str().unwrap()).unwrap();
                fails(value.as_str().is_none_or(|text| regex.is_match(text)))
            }
            "maxLength" => {
                fails(value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()))
            }
            "minimum" => fails(value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap())),
            "maximum" => fails(value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap())),
            "minItems" => fails(length().is_none_or(|length| length as u64 >= rule.as_u64().unwrap())),
            "maxItems" => fails(length().is_none_or(|length| length as u64 <= rule.as_u64().unwrap())),
            "uniqueItems" => fails(value.as_array().is_none_or(|items| {
                items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
            })),
            "minProperties" => {
                fails(value.as_object().is_none_or(|table| table.len() as u64 >= rule.as_u64().unwrap()))
            }
            "maxProperties" => {
                fails(value.as_object().is_none_or(|table| table.len() as u64 <= rule.as_u64().unwrap()))
            }
            "required" => fails(value.as_object().is_none_or(|table| {
                rule.as_array().unwrap().iter().all(|key| table.contains_key(key.as_str().unwrap()))
            })),
            "items" => value
                .as_array()?
                .iter()
                .enumerate()
                .find_map(|(at, item)| self.schema(rule, item, &format!("{path}[{at}]"))),
            "properties" => {
                let known = rule.as_object().unwrap();
                let table = value.as_object()?;
                table
                    .iter()
                    .find_map(|(key, value)| self.schema(known.get(key)?, value, &format!("{path}.{key}")))
            }
            "additionalProperties" => {
                let known = all.get("properties").and_then(Value::as_object);
                let others = value
                    .as_object()?
                    .iter()
                    .filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key)));
                let mut wrong = others.map(|(key, value)| self.schema(rule, value, &format!("{path}.{key}")));
                wrong.find_map(|wrong| wrong)
            }
            "propertyNames" => {
                value.as_object()?.keys().find_map(|key| self.schema(rule, &Value::from(key.as_str()), path))
            }
            "allOf" => rule.as_array().unwrap().iter().find_map(|one| self.schema(one, value, path)),
            "anyOf" => fails(passing() > 0),
            "oneOf" => fails(passing() == 1),
            "not" => fails(self.schema(rule, value, path).is_some()),
            "if" if self.schema(rule, value, path).is_none() => self.schema(&all["then"], value, path),
            "if" => None,
            other => panic!("the keyword {other} is not known here"),
        }
    }
}
