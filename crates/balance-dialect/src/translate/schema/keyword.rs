//! The keywords of one schema that hold no other schema.
//!
//! Invariant: only keywords that Gemini accepts are written.

use serde_json::{Map, Number, Value, json};

use super::expand::{ROOT, definition_name};
use crate::json::compact;

/// Longer notes would cost the model more than they tell it.
const NOTE_LIMIT: usize = 200;

/// A cleaned schema in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    kept: Map<String, Value>,
    reference: Option<Value>,
    is_nullable: bool,
    notes: Vec<String>,
}

impl Draft {
    /// Writes a keyword, unless there is nothing to write.
    pub(super) fn keep(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.kept.insert(key.to_owned(), value);
        }
    }

    /// Reads a keyword of `schema` that holds no other schema.
    pub(super) fn add(&mut self, key: &str, value: &Value, schema: &Map<String, Value>) {
        match (key, value) {
            ("title" | "description" | "format" | "$id" | "$anchor", Value::String(_))
            | ("minItems" | "maxItems", Value::Number(_))
            | ("propertyOrdering" | "required", Value::Array(_)) => {
                self.keep(key, Some(value.clone()));
            }
            ("minimum" | "maximum", Value::Number(_)) => {
                self.kept.entry(key).or_insert_with(|| value.clone());
            }
            ("type", Value::String(kind)) if is_any(kind) => {}
            ("type", Value::String(kind)) => self.keep(key, Some(lower(kind))),
            ("type", Value::Array(kinds)) if kinds.iter().filter_map(Value::as_str).any(is_any) => {
            }
            ("type", Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str).map(lower).collect();
                self.keep(key, Some(Value::Array(kinds)));
            }
            ("enum", Value::Array(values)) => self.one_of(values),
            ("const", value) => self.one_of(std::slice::from_ref(value)),
            ("nullable", value) => self.is_nullable |= value == true,
            ("$ref", Value::String(reference)) => {
                let name = definition_name(reference);
                self.reference = match name {
                    _ if reference == "#" => Some(format!("#/$defs/{ROOT}").into()),
                    Some(_) => Some(reference.replacen("#/definitions/", "#/$defs/", 1).into()),
                    None => None,
                };
            }
            ("exclusiveMinimum", value) => self.bound("minimum", key, value, 1, schema),
            ("exclusiveMaximum", value) => self.bound("maximum", key, value, -1, schema),
            (key, value) if is_limit(key) => self.note(key, value),
            _ => {}
        }
    }

    /// The schema, complete.
    pub(super) fn finish(mut self) -> Value {
        self.settle_required();
        self.settle_type();
        if let Some(reference) = self.reference.take() {
            if self.kept.is_empty() && self.notes.is_empty() {
                return json!({ "$ref": reference });
            }
            // Nothing may stand beside a reference, but a list of one may.
            self.kept.entry("anyOf").or_insert_with(|| json!([{ "$ref": reference }]));
        }
        self.settle_description();
        Value::Object(self.kept)
    }

    /// Gemini takes lists of strings and numbers; null is a type, and booleans go to the notes.
    fn one_of(&mut self, values: &[Value]) {
        let (plain, others): (Vec<&Value>, Vec<&Value>) =
            values.iter().partition(|value| value.is_string() || value.is_number());
        self.is_nullable |= others.iter().any(|value| value.is_null()) && !plain.is_empty();
        if !self.kept.contains_key("type") {
            let kind =
                plain.first().or_else(|| others.first()).map_or("string", |value| kind_of(value));
            self.keep("type", Some(kind.into()));
        }
        if others.iter().all(|value| value.is_null()) {
            let plain: Vec<Value> = plain.into_iter().cloned().collect();
            self.keep("enum", (!plain.is_empty()).then_some(Value::Array(plain)));
        } else {
            self.note("one of", &Value::Array(values.to_vec()));
        }
    }

    /// A bound that excludes itself: for integers the next one, else a note.
    fn bound(
        &mut self,
        inclusive: &str,
        key: &str,
        value: &Value,
        step: i64,
        schema: &Map<String, Value>,
    ) {
        // Before draft 6 this was a flag beside the bound.
        let number = if value == true { schema.get(inclusive) } else { Some(value) };
        let is_integer = schema.get("type").is_some_and(|kind| kind == "integer");
        let next = number.and_then(Value::as_i64).and_then(|number| number.checked_add(step));
        match (next.filter(|_| is_integer), number) {
            (Some(next), _) => self.keep(inclusive, Some(Value::Number(Number::from(next)))),
            (None, Some(Value::Number(_))) => self.note(key, number.unwrap_or(value)),
            (None, _) => {}
        }
    }

    fn note(&mut self, key: &str, value: &Value) {
        let text = value.to_string();
        let text = compact(&text);
        if text.len() <= NOTE_LIMIT {
            self.notes.push(format!("{key}: {text}"));
        }
    }

    /// Gemini refuses the name of a property that is not there, and an empty list.
    fn settle_required(&mut self) {
        let Some(Value::Array(required)) = self.kept.get("required") else { return };
        let properties = self.kept.get("properties");
        let is_there =
            |name: &&Value| properties.zip(name.as_str()).is_some_and(|(p, n)| p.get(n).is_some());
        let required: Vec<Value> = required.iter().filter(is_there).cloned().collect();
        if required.is_empty() {
            self.kept.shift_remove("required");
        } else {
            self.keep("required", Some(Value::Array(required)));
        }
    }

    fn settle_type(&mut self) {
        if self.kept.contains_key("properties") && !self.kept.contains_key("type") {
            self.keep("type", Some("object".into()));
        }
        if !self.is_nullable {
            return;
        }
        match self.kept.get_mut("type") {
            Some(Value::Array(kinds)) if !kinds.iter().any(|kind| kind == "null") => {
                kinds.push("null".into());
            }
            Some(kind) if kind.is_string() && kind != "null" => *kind = json!([kind, "null"]),
            _ => {}
        }
    }

    fn settle_description(&mut self) {
        if self.notes.is_empty() {
            return;
        }
        let notes = self.notes.join(", ");
        let described = match self.kept.get("description").and_then(Value::as_str) {
            Some(text) if !text.is_empty() => format!("{text} ({notes})"),
            _ => notes,
        };
        self.keep("description", Some(described.into()));
    }
}

/// Whether a keyword that Gemini does not accept limits the values, or tells of them.
fn is_limit(key: &str) -> bool {
    matches!(
        key,
        "minLength"
            | "maxLength"
            | "pattern"
            | "multipleOf"
            | "uniqueItems"
            | "contains"
            | "minProperties"
            | "maxProperties"
            | "patternProperties"
            | "propertyNames"
            | "dependentRequired"
            | "not"
            | "if"
            | "then"
            | "else"
            | "default"
            | "examples"
            | "example"
    )
}

/// What many write for the lack of a type.
fn is_any(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("any")
}

/// Types are lower case in JSON schema; some clients write them as Google's older schemas do.
fn lower(kind: &str) -> Value {
    Value::String(kind.to_ascii_lowercase())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
