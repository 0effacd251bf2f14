//! Cleaned schemas in Google's older subset, for models that do not take JSON schema.
//!
//! Invariant: what is written holds no reference, one type for each schema, and only keywords of
//! the subset: <https://ai.google.dev/api/caching#Schema>. What has no keyword there is told in the
//! description.

use serde_json::{Map, Value, json};

use super::expand::definition_name;
use crate::json::compact;

#[cfg(test)]
mod tests;

/// How often a definition may stand in itself.
const ROUNDS: usize = 2;
/// How many definitions may be put in place, in all.
const EXPANSIONS: usize = 512;
/// Where a schema that contains itself is cut.
const CUT: &str = "The same again, as JSON in a string.";

/// The subset's schema for a cleaned one.
pub(crate) fn of(cleaned: &Value) -> Value {
    let Value::Object(root) = cleaned else { return any() };
    let definitions = root.get("$defs").and_then(Value::as_object);
    let mut writer = Writer { definitions, within: Vec::new(), expansions_left: EXPANSIONS };
    writer.schema(root)
}

/// What is known on the way through a schema.
struct Writer<'s> {
    definitions: Option<&'s Map<String, Value>>,
    /// The definitions that are being written, the outermost first.
    within: Vec<String>,
    expansions_left: usize,
}

impl Writer<'_> {
    fn node(&mut self, schema: &Value) -> Value {
        schema.as_object().map_or_else(any, |schema| self.schema(schema))
    }

    fn schema(&mut self, schema: &Map<String, Value>) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.definition(reference);
        }
        let mut base = schema.clone();
        let branches = ["anyOf", "oneOf"].map(|key| base.shift_remove(key));
        let mut lists = branches.iter().flatten().filter_map(Value::as_array);
        match lists.next() {
            Some(branches) => self.choice(&base, branches),
            None => self.typed(base),
        }
    }

    /// A definition in the place of a reference to it.
    fn definition(&mut self, reference: &str) -> Value {
        let name = definition_name(reference).unwrap_or_default().into_owned();
        let rounds = self.within.iter().filter(|outer| **outer == name).count();
        let Some(schema) = self.definitions.and_then(|all| all.get(&name)) else { return any() };
        if rounds >= ROUNDS || self.expansions_left == 0 {
            return json!({ "type": "string", "description": CUT });
        }
        self.expansions_left -= 1;
        self.within.push(name);
        let written = self.node(schema);
        self.within.pop();
        written
    }

    /// One of several schemas: a choice stands alone in the subset, so what stands beside it is
    /// written into each of them; and null is no schema but a flag.
    fn choice(&mut self, base: &Map<String, Value>, branches: &[Value]) -> Value {
        let is_null = |branch: &&Value| branch.get("type").is_some_and(|kind| kind == "null");
        let is_nullable = branches.iter().any(|branch| is_null(&branch));
        let mut written: Vec<Value> = Vec::new();
        for branch in branches.iter().filter(|branch| !is_null(branch)) {
            let whole = self.with_base(base, branch);
            if !written.contains(&whole) {
                written.push(whole);
            }
        }
        if is_nullable {
            for branch in &mut written {
                set(branch, "nullable", true);
            }
        }
        match <[Value; 1]>::try_from(written) {
            Ok([only]) => only,
            Err(none) if none.is_empty() => json!({ "type": "null" }),
            Err(written) => json!({ "anyOf": written }),
        }
    }

    /// A branch of a choice with what stands beside the choice.
    fn with_base(&mut self, base: &Map<String, Value>, branch: &Value) -> Value {
        let Some(branch) = branch.as_object() else { return any() };
        if branch.contains_key("$ref") {
            let mut written = self.schema(branch);
            if let Some(Value::String(description)) = base.get("description") {
                let inner = written.get("description").and_then(Value::as_str);
                let both =
                    inner.map_or_else(|| description.clone(), |i| format!("{description} {i}"));
                set(&mut written, "description", both);
            }
            return written;
        }
        let mut whole = base.clone();
        for (key, value) in branch {
            match (whole.get_mut(key), value) {
                (Some(Value::Object(outer)), Value::Object(inner)) if key == "properties" => {
                    outer.extend(inner.clone());
                }
                (Some(Value::Array(outer)), Value::Array(inner)) if key == "required" => {
                    let new: Vec<Value> =
                        inner.iter().filter(|name| !outer.contains(name)).cloned().collect();
                    outer.extend(new);
                }
                _ => drop(whole.insert(key.clone(), value.clone())),
            }
        }
        self.schema(&whole)
    }

    /// A schema without a choice, of one type or several.
    fn typed(&mut self, mut schema: Map<String, Value>) -> Value {
        let kinds: Vec<String> = match schema.shift_remove("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => vec![kind_of(&schema).to_owned()],
        };
        let is_nullable = kinds.iter().any(|kind| kind == "null") && kinds.len() > 1;
        let others = kinds.iter().filter(|kind| !is_nullable || *kind != "null");
        let mut written: Vec<Value> = others.map(|kind| self.of_kind(kind, &schema)).collect();
        if is_nullable {
            written.iter_mut().for_each(|each| set(each, "nullable", true));
        }
        match <[Value; 1]>::try_from(written) {
            Ok([only]) => only,
            Err(written) => json!({ "anyOf": written }),
        }
    }

    /// A schema of one type.
    fn of_kind(&mut self, kind: &str, schema: &Map<String, Value>) -> Value {
        let mut kept = Map::from_iter([("type".to_owned(), Value::from(kind))]);
        let mut notes = Vec::new();
        for (key, value) in schema {
            let is_kept = match (kind, key.as_str()) {
                (_, "description" | "minimum" | "maximum" | "minItems" | "maxItems") => true,
                ("object", "required" | "propertyOrdering") => true,
                ("string", "enum") => {
                    let texts = value.as_array().into_iter().flatten();
                    let texts: Vec<&Value> = texts.filter(|v| v.is_string() && *v != "").collect();
                    if !texts.is_empty() {
                        kept.insert(key.clone(), json!(texts));
                    }
                    false
                }
                (_, "enum") => {
                    notes.push(note("one of", value));
                    false
                }
                (_, "format") => {
                    let is_known = is_format(kind, value);
                    notes.extend((!is_known).then(|| note(key, value)));
                    is_known
                }
                ("object", "additionalProperties") if value.is_object() => {
                    notes.push(note("further properties", value));
                    false
                }
                _ => false,
            };
            if is_kept {
                kept.insert(key.clone(), value.clone());
            }
        }
        match kind {
            "object" => self.properties(schema, &mut kept),
            "array" => self.items(schema, &mut kept),
            _ => {}
        }
        describe(&mut kept, &notes);
        Value::Object(kept)
    }

    fn properties(&mut self, schema: &Map<String, Value>, kept: &mut Map<String, Value>) {
        let Some(Value::Object(properties)) = schema.get("properties") else { return };
        let written = properties.iter().map(|(name, schema)| (name.clone(), self.node(schema)));
        let written: Map<String, Value> = written.collect();
        if !written.is_empty() {
            kept.insert("properties".to_owned(), Value::Object(written));
        }
    }

    /// The items of an array, which the subset demands. Items that each have a schema of their own
    /// are told as a choice, and by their number.
    fn items(&mut self, schema: &Map<String, Value>, kept: &mut Map<String, Value>) {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let items = match (first, schema.get("items")) {
            (Some(first), _) => {
                for key in ["minItems", "maxItems"] {
                    kept.entry(key).or_insert_with(|| first.len().into());
                }
                self.choice(&Map::new(), first)
            }
            (None, Some(items)) => self.node(items),
            (None, None) => any(),
        };
        kept.insert("items".to_owned(), items);
    }
}

/// What stands for a schema that everything satisfies: the subset demands a type.
fn any() -> Value {
    json!({ "type": "string" })
}

/// The type of a schema that names none.
fn kind_of(schema: &Map<String, Value>) -> &'static str {
    match schema {
        schema if schema.contains_key("properties") => "object",
        schema if schema.contains_key("items") || schema.contains_key("prefixItems") => "array",
        schema if schema.contains_key("additionalProperties") => "object",
        _ => "string",
    }
}

fn is_format(kind: &str, format: &Value) -> bool {
    matches!(
        (kind, format.as_str()),
        ("string", Some("enum" | "date-time"))
            | ("number", Some("float" | "double"))
            | ("integer", Some("int32" | "int64"))
    )
}

fn note(key: &str, value: &Value) -> String {
    format!("{key}: {}", compact(&value.to_string()))
}

fn describe(kept: &mut Map<String, Value>, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    let notes = notes.join(", ");
    let described = match kept.get("description").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => format!("{text} ({notes})"),
        _ => notes,
    };
    kept.insert("description".to_owned(), described.into());
}

/// Writes a keyword into a schema; into each branch when it is a choice, which stands alone.
fn set(schema: &mut Value, key: &str, value: impl Into<Value>) {
    let value = value.into();
    let Value::Object(fields) = schema else { return };
    match fields.get_mut("anyOf") {
        Some(Value::Array(branches)) => {
            branches.iter_mut().for_each(|branch| set(branch, key, value.clone()));
        }
        _ => drop(fields.insert(key.to_owned(), value)),
    }
}
