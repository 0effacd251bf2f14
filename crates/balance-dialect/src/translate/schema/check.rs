//! Schemas that cannot be told to Gemini, found before anything is sent.
//!
//! Invariant: a refusal names the place in the schema; what is only unusual passes.

use serde_json::{Map, Value};

use super::expand::Expander;
use crate::translate::path::Path;
use crate::translate::refusal::{Refusal, quoted};

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];

/// Checks a schema and all that stand in it.
///
/// # Errors
/// A [`Refusal`] of what is no schema, of types that there are not, and of references to nothing.
pub(super) fn check(root: &Value, path: Path<'_>) -> Result<(), Refusal> {
    if *root == Value::Bool(false) {
        return Err(Refusal::invalid_value(path, "nothing satisfies this schema"));
    }
    node(root, path, &Expander::new(root))
}

fn node(schema: &Value, path: Path<'_>, root: &Expander<'_>) -> Result<(), Refusal> {
    match schema {
        Value::Bool(_) => Ok(()),
        Value::Object(schema) => object(schema, path, root),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Refusal::invalid_type(path, "expected a schema, which is an object"))
        }
    }
}

fn object(schema: &Map<String, Value>, path: Path<'_>, root: &Expander<'_>) -> Result<(), Refusal> {
    for (key, value) in schema {
        let field = path.field(key);
        match (key.as_str(), value) {
            ("type", Value::String(kind)) => known(kind, field)?,
            ("type", Value::Array(kinds)) => {
                for kind in kinds.iter().filter_map(Value::as_str) {
                    known(kind, field)?;
                }
            }
            ("$ref", Value::String(reference)) => found(reference, field, root)?,
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                for (name, schema) in schemas {
                    node(schema, field.field(name), root)?;
                }
            }
            ("items" | "prefixItems" | "anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    node(schema, field.index(index), root)?;
                }
            }
            ("items" | "additionalProperties", schema) if !schema.is_null() => {
                node(schema, field, root)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn known(kind: &str, path: Path<'_>) -> Result<(), Refusal> {
    // `any` is no type of JSON schema, but what many write for one.
    if TYPES.iter().chain(&["any"]).any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    let reason = format!("{} is no type; it must be one of {}", quoted(kind), TYPES.join(", "));
    Err(Refusal::invalid_value(path, reason))
}

fn found(reference: &str, path: Path<'_>, root: &Expander<'_>) -> Result<(), Refusal> {
    if root.is_known(reference) {
        return Ok(());
    }
    let reason = if reference.starts_with('#') {
        format!("{} points to nothing in this schema", quoted(reference))
    } else {
        format!("{} is not fetched; put the schema under '$defs'", quoted(reference))
    };
    Err(Refusal::invalid_value(path, reason))
}
