//! Definitions that contain themselves.
//!
//! Invariant: no property that leads back to the definition it stands in is required. Gemini takes
//! such references in optional properties only:
//! <https://ai.google.dev/api/generate-content#GenerationConfig>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The definitions that each definition leads to, itself among them when it contains itself.
type Reach = BTreeMap<String, BTreeSet<String>>;

/// Makes such properties optional.
pub(super) fn relax(definitions: &mut Map<String, Value>) {
    let reach = reach(definitions);
    for (name, definition) in definitions {
        if reach.get(name).is_some_and(|reached| reached.contains(name)) {
            relax_in(definition, name, &reach);
        }
    }
}

fn reach(definitions: &Map<String, Value>) -> Reach {
    let mut direct = Reach::new();
    for (name, schema) in definitions {
        let found = direct.entry(name.clone()).or_default();
        references(schema, found);
    }
    let mut whole = Reach::new();
    for name in direct.keys() {
        let reached = whole.entry(name.clone()).or_default();
        let mut waiting = vec![name];
        while let Some(next) = waiting.pop() {
            for found in direct.get(next).into_iter().flatten() {
                if reached.insert(found.clone()) {
                    waiting.push(found);
                }
            }
        }
    }
    whole
}

/// The names of the definitions that a cleaned schema refers to.
fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            found.extend(reference.and_then(super::expand::definition_name).map(Into::into));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn relax_in(schema: &mut Value, name: &str, reach: &Reach) {
    if let Value::Object(fields) = schema {
        let leads_back = |property: &Value| {
            let mut found = BTreeSet::new();
            references(property, &mut found);
            let leads = |to: &String| to == name || reach.get(to).is_some_and(|r| r.contains(name));
            found.iter().any(leads)
        };
        let properties = fields.get("properties").and_then(Value::as_object);
        let cyclic: Vec<Value> = properties
            .into_iter()
            .flatten()
            .filter(|(_, property)| leads_back(property))
            .map(|(name, _)| Value::from(name.as_str()))
            .collect();
        if let Some(Value::Array(required)) = fields.get_mut("required") {
            required.retain(|name| !cyclic.contains(name));
            if required.is_empty() {
                fields.shift_remove("required");
            }
        }
    }
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(|value| relax_in(value, name, reach));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| relax_in(value, name, reach)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
