//! JSON schemas of clients, cleaned to the keywords that Gemini accepts.
//!
//! Invariant: properties keep their names and order, and a keyword that has to go is told to the
//! model in the description when it limits the values; what cannot be told at all is refused.
//!
//! The accepted keywords are those that Google documents for `responseJsonSchema`, which hold for
//! `parametersJsonSchema` too: <https://ai.google.dev/api/generate-content#GenerationConfig>.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use self::expand::Expander;
use self::keyword::Draft;
use super::path::Path;
use super::refusal::Refusal;

mod check;
mod cycles;
mod expand;
mod keyword;
pub(crate) mod subset;
#[cfg(test)]
mod tests;

/// Reads a schema and cleans it.
///
/// # Errors
/// A [`Refusal`] that names the place of what Gemini cannot be told.
pub(crate) fn of_answer(json: &RawValue, path: Path<'_>) -> Result<Value, Refusal> {
    let schema: Value = crate::json::read_str(json.get())
        .map_err(|_| Refusal::invalid_value(path, "the schema is nested too deeply"))?;
    check::check(&schema, path)?;
    Ok(clean(&schema))
}

/// Reads the schema for a function's parameters, always of an object, and cleans it; none for a
/// function without any.
///
/// # Errors
/// A [`Refusal`] that names the place of what Gemini cannot be told.
pub(crate) fn of_parameters(json: &RawValue, path: Path<'_>) -> Result<Option<Value>, Refusal> {
    let mut cleaned = of_answer(json, path)?;
    let is_object = match cleaned.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
        Some(kind) => kind == "object",
    };
    if !is_object {
        let reason = "the parameters of a function are an object; put the schema into 'properties'";
        return Err(Refusal::invalid_value(path.field("type"), reason));
    }
    let Value::Object(fields) = &mut cleaned else { return Ok(None) };
    let says_nothing = fields.iter().all(|(key, value)| match key.as_str() {
        "properties" => value.as_object().is_none_or(Map::is_empty),
        "additionalProperties" => value == false,
        key => matches!(key, "type" | "title" | "description" | "$id" | "$defs"),
    });
    if says_nothing {
        return Ok(None);
    }
    fields.entry("type").or_insert_with(|| "object".into());
    Ok(Some(cleaned))
}

fn clean(schema: &Value) -> Value {
    let mut expander = Expander::new(schema);
    let Value::Object(root) = schema else { return any() };
    let root = expander.root(root);
    let Value::Object(mut cleaned) = object(&root, &mut expander) else { return any() };
    if let Some(definitions) = definitions(&mut expander) {
        cleaned.insert("$defs".to_owned(), definitions);
    }
    Value::Object(cleaned)
}

/// A schema within a schema; none for `false`, which nothing satisfies.
fn node(schema: &Value, expander: &mut Expander<'_>) -> Option<Value> {
    match schema {
        Value::Bool(false) => None,
        Value::Object(schema) => {
            let outer = expander.depth();
            let expanded = expander.expand(schema);
            if matches!(expanded, Cow::Owned(_)) {
                expander.enter();
            }
            let cleaned = object(&expanded, expander);
            expander.leave(outer);
            Some(cleaned)
        }
        Value::Bool(true) | Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Some(any())
        }
    }
}

/// A schema that is an object, after [`Expander::expand`].
fn object(schema: &Map<String, Value>, expander: &mut Expander<'_>) -> Value {
    let mut draft = Draft::default();
    for (key, value) in schema {
        let value = match key.as_str() {
            "properties" => schemas_by_name(value, expander).map(Value::Object),
            "items" if value.is_array() => {
                draft.keep("prefixItems", schemas(value, expander));
                None
            }
            "items" => node(value, expander),
            "additionalProperties" if value.is_boolean() => Some(value.clone()),
            "additionalProperties" => node(value, expander),
            "prefixItems" | "anyOf" | "oneOf" => schemas(value, expander),
            key => {
                draft.add(key, value, schema);
                None
            }
        };
        draft.keep(key, value);
    }
    draft.finish()
}

fn schemas_by_name(schemas: &Value, expander: &mut Expander<'_>) -> Option<Map<String, Value>> {
    let schemas = schemas.as_object()?.iter();
    let cleaned =
        schemas.filter_map(|(name, schema)| Some((name.clone(), node(schema, expander)?)));
    Some(cleaned.collect())
}

/// A list of schemas; none when it is empty, which Gemini refuses.
fn schemas(schemas: &Value, expander: &mut Expander<'_>) -> Option<Value> {
    let schemas = schemas.as_array()?.iter();
    let cleaned: Vec<Value> = schemas.filter_map(|schema| node(schema, expander)).collect();
    (!cleaned.is_empty()).then_some(Value::Array(cleaned))
}

fn definitions(expander: &mut Expander<'_>) -> Option<Value> {
    let definitions = expander.definitions();
    let mut cleaned: Map<String, Value> = definitions
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), node(schema, expander).unwrap_or_else(any)))
        .collect();
    cycles::relax(&mut cleaned);
    (!cleaned.is_empty()).then_some(Value::Object(cleaned))
}

/// The schema that everything satisfies.
fn any() -> Value {
    json!({})
}
