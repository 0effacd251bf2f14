//! A value that satisfies a schema, OpenAPI subset or JSON Schema. Invariant: it ends, whatever
//! the schema refers to; optional fields are left out below a few levels, everything below many.

use serde_json::{Map, Value};

/// Below this depth optional fields are left out.
const OPTIONAL_DEPTH: usize = 4;
/// Below this depth everything is null.
const DEPTH: usize = 24;

/// A value for the schema; strings repeat the prompt.
pub(super) fn sample(schema: &Value, prompt: &str) -> Value {
    Sampler { root: schema, prompt }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    prompt: &'a str,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEPTH {
            return Value::Null;
        }
        if let Some(target) = self.referenced(schema) {
            return self.value(target, depth + 1);
        }
        if let Some(fixed) = schema.get("const").or_else(|| first(schema, "enum")) {
            return fixed.clone();
        }
        if let Some(branch) = branch(schema) {
            return self.value(branch, depth + 1);
        }
        match kind(schema).as_str() {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" | "number" => number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => self.string(schema),
        }
    }

    fn referenced(&self, schema: &Value) -> Option<&Value> {
        let path = schema.get("$ref").or_else(|| schema.get("ref"))?.as_str()?;
        self.root.pointer(path.strip_prefix('#')?)
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return Value::Object(Map::new());
        };
        let required = |name: &str| {
            schema
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|names| names.iter().any(|required| required == name))
        };
        let fields = properties
            .iter()
            .filter(|(name, _)| depth < OPTIONAL_DEPTH || required(name))
            .map(|(name, schema)| (name.clone(), self.value(schema, depth + 1)));
        Value::Object(fields.collect())
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        if let Some(prefix) = schema.get("prefixItems").and_then(Value::as_array) {
            return prefix.iter().map(|item| self.value(item, depth + 1)).collect();
        }
        let least = bound(schema, "minItems").unwrap_or(1);
        let count = bound(schema, "maxItems").map_or(least, |most| least.min(most)).min(64);
        match schema.get("items") {
            Some(items) if depth < DEPTH => {
                (0..count).map(|_| self.value(items, depth + 1)).collect()
            }
            _ => Value::Array(Vec::new()),
        }
    }

    fn string(&self, schema: &Value) -> Value {
        match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => return "2026-01-02T03:04:05Z".into(),
            Some("date") => return "2026-01-02".into(),
            Some("time") => return "03:04:05Z".into(),
            _ => {}
        }
        let least = bound(schema, "minLength").unwrap_or(0).min(10_000);
        let most = bound(schema, "maxLength").unwrap_or(u64::MAX);
        let text = self.prompt.chars().chain(std::iter::repeat('.'));
        let length = (self.prompt.chars().count() as u64).max(least).min(most);
        text.take(usize::try_from(length).unwrap_or(0)).collect::<String>().into()
    }
}

fn first<'a>(schema: &'a Value, list: &str) -> Option<&'a Value> {
    schema.get(list)?.as_array()?.first()
}

/// A branch of a union, one that is not null if there is any.
fn branch(schema: &Value) -> Option<&Value> {
    let branches = ["anyOf", "any_of", "oneOf", "allOf"]
        .iter()
        .find_map(|union| schema.get(*union)?.as_array())?;
    branches.iter().find(|branch| kind(branch) != "null").or_else(|| branches.first())
}

/// The type in lower case, the first that is not null; without one, what the keywords tell.
fn kind(schema: &Value) -> String {
    let named = match schema.get("type") {
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| !kind.eq_ignore_ascii_case("null"))
        }
        Some(kind) => kind.as_str(),
        None if schema.get("properties").is_some() => Some("object"),
        None if schema.get("items").or_else(|| schema.get("prefixItems")).is_some() => {
            Some("array")
        }
        None => None,
    };
    named.unwrap_or("string").to_ascii_lowercase()
}

/// A count, which the OpenAPI subset may write as a string.
fn bound(schema: &Value, keyword: &str) -> Option<u64> {
    let value = schema.get(keyword)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// 7, or the nearest number that the bounds allow.
fn number(schema: &Value) -> Value {
    let limit = |keyword| schema.get(keyword).and_then(Value::as_f64);
    let least = limit("minimum").or_else(|| limit("exclusiveMinimum").map(|least| least + 1.0));
    let most = limit("maximum").or_else(|| limit("exclusiveMaximum").map(|most| most - 1.0));
    let number = 7_f64.max(least.unwrap_or(7.0)).min(most.unwrap_or(f64::MAX));
    if number.fract() == 0.0 && number.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
        return Value::from(number as i64);
    }
    Value::from(number)
}
