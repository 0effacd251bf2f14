use super::*;

#[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
#[track_caller]
fn cleans(schema: Value, expected: Value) {
    let cleaned = clean(&schema);
    // As text, since the order of properties matters.
    assert_eq!(cleaned.to_string(), expected.to_string());
}

#[test]
fn accepted_keywords_stay_as_they_are() {
    let schema = json!({
        "$id": "https://example.com/s", "title": "T", "description": "D", "type": "object",
        "properties": {
            "z": { "type": ["string", "null"], "format": "date-time" },
            "a": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": 9 },
                   "minItems": 1, "maxItems": 5 },
            "m": { "anyOf": [{ "type": "string", "enum": ["x", "y"] }, { "type": "number" }] },
        },
        "required": ["z"], "additionalProperties": false, "propertyOrdering": ["z", "a", "m"],
    });
    cleans(schema.clone(), schema);
}

#[test]
fn properties_may_have_the_names_of_keywords() {
    let schema = json!({ "type": "object", "properties": {
        "const": { "type": "string" }, "pattern": { "type": "string" }, "allOf": { "type": "string" },
        "$ref": { "type": "string" }, "title": { "type": "string" }, "default": { "type": "string" },
    }});
    cleans(schema.clone(), schema);
}

#[test]
fn refused_keywords_go_and_limits_are_told() {
    cleans(
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "string",
                "description": "A code.", "pattern": "^a+$", "minLength": 2, "readOnly": true,
                "x-order": 1 }),
        json!({ "type": "string", "description": "A code. (pattern: \"^a+$\", minLength: 2)" }),
    );
    cleans(
        json!({ "type": "integer", "default": 3 }),
        json!({ "type": "integer", "description": "default: 3" }),
    );
}

#[test]
fn a_const_is_a_list_of_one() {
    cleans(json!({ "const": "a" }), json!({ "type": "string", "enum": ["a"] }));
    cleans(json!({ "type": "number", "const": 15 }), json!({ "type": "number", "enum": [15] }));
    cleans(json!({ "const": null }), json!({ "type": "null" }));
    cleans(
        json!({ "type": "boolean", "const": true }),
        json!({ "type": "boolean", "description": "one of: [true]" }),
    );
}

#[test]
fn null_is_a_type_and_no_value() {
    cleans(
        json!({ "type": "string", "enum": ["a", null] }),
        json!({ "type": ["string", "null"], "enum": ["a"] }),
    );
    cleans(json!({ "type": "STRING", "nullable": true }), json!({ "type": ["string", "null"] }));
}

#[test]
fn bounds_that_exclude_themselves_are_the_next_integers() {
    cleans(
        json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 }),
        json!({ "type": "integer", "minimum": 1, "maximum": 9 }),
    );
    cleans(
        json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": true }),
        json!({ "type": "integer", "minimum": 1 }),
    );
    cleans(
        json!({ "type": "integer", "exclusiveMinimum": true, "minimum": 0 }),
        json!({ "type": "integer", "minimum": 1 }),
    );
    cleans(
        json!({ "type": "number", "exclusiveMinimum": 0 }),
        json!({ "type": "number", "description": "exclusiveMinimum: 0" }),
    );
}

#[test]
fn all_of_is_merged() {
    cleans(
        json!({ "type": "object",
                "allOf": [{ "properties": { "my.param": { "type": "string" } }, "required": ["my.param"] },
                          { "properties": { "b": { "type": "integer" } }, "required": ["b"] }] }),
        json!({ "type": "object", "properties": { "my.param": { "type": "string" },
                "b": { "type": "integer" } }, "required": ["my.param", "b"] }),
    );
    cleans(
        json!({ "properties": { "a": { "allOf": [{ "$ref": "#/$defs/A" }, { "properties": { "y": {} } }] } },
                "$defs": { "A": { "type": "object", "properties": { "x": { "type": "string" } } } } }),
        json!({ "properties": { "a": { "type": "object",
                    "properties": { "x": { "type": "string" }, "y": {} } } },
                "type": "object",
                "$defs": { "A": { "type": "object", "properties": { "x": { "type": "string" } } } } }),
    );
}

#[test]
fn references_to_definitions_stay_alone() {
    cleans(
        json!({ "type": "object", "properties": {
                    "a": { "$ref": "#/definitions/A" },
                    "b": { "$ref": "#/$defs/A", "description": "B" },
                    "c": { "allOf": [{ "$ref": "#/$defs/A" }], "title": "C" } },
                "definitions": { "A": { "type": "string", "const": "x" } } }),
        json!({ "type": "object", "properties": {
                    "a": { "$ref": "#/$defs/A" },
                    "b": { "description": "B", "anyOf": [{ "$ref": "#/$defs/A" }] },
                    "c": { "title": "C", "anyOf": [{ "$ref": "#/$defs/A" }] } },
                "$defs": { "A": { "type": "string", "enum": ["x"] } } }),
    );
}

#[test]
fn other_references_are_put_in_place() {
    cleans(
        json!({ "$ref": "#/$defs/P", "$defs": { "P": { "type": "object", "properties": { "v": {} } } } }),
        json!({ "type": "object", "properties": { "v": {} },
                "$defs": { "P": { "type": "object", "properties": { "v": {} } } } }),
    );
    cleans(
        json!({ "type": "object", "properties": {
                    "a": { "type": "string", "pattern": "x", "$anchor": "A" },
                    "b": { "$ref": "#/properties/a" }, "c": { "$ref": "#A" } } }),
        json!({ "type": "object", "properties": {
                    "a": { "type": "string", "$anchor": "A", "description": "pattern: \"x\"" },
                    "b": { "type": "string", "$anchor": "A", "description": "pattern: \"x\"" },
                    "c": { "type": "string", "$anchor": "A", "description": "pattern: \"x\"" } } }),
    );
}

#[test]
fn a_reference_to_the_root_is_one_to_a_definition_and_optional() {
    let list = json!({ "type": "object", "required": ["value", "next"], "properties": {
        "value": { "type": "string" },
        "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } } });
    let next = json!({ "anyOf": [{ "$ref": "#/$defs/__root" }, { "type": "null" }] });
    let properties = json!({ "value": { "type": "string" }, "next": next });
    cleans(
        list,
        json!({ "type": "object", "required": ["value", "next"], "properties": properties,
                "$defs": { "__root": { "type": "object", "required": ["value"],
                                       "properties": properties } } }),
    );
}

#[test]
fn properties_that_lead_back_to_their_definition_are_optional() {
    let tree = |required: &[&str]| {
        json!({ "type": "object", "required": ["top"], "properties": { "top": { "$ref": "#/$defs/Node" } },
            "$defs": {
                "Node": { "type": "object", "required": required, "properties": {
                    "name": { "$ref": "#/$defs/Name" },
                    "leaves": { "type": "array", "items": { "$ref": "#/$defs/Leaf" } } } },
                "Leaf": { "type": "object", "properties": { "node": { "$ref": "#/$defs/Node" } } },
                "Name": { "type": "string" } } })
    };
    cleans(tree(&["name", "leaves"]), tree(&["name"]));
}

#[test]
fn a_schema_that_contains_itself_is_cleaned_in_bounded_time() {
    for schema in [
        json!({ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/A" } } }),
        json!({ "$defs": { "A": { "allOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/A" }] } },
                "properties": { "a": { "$ref": "#/$defs/A" } } }),
        json!({ "properties": { "a": { "$ref": "#/properties/b" }, "b": { "$ref": "#/properties/a" } } }),
        json!({ "properties": { "a": { "properties": { "b": { "$ref": "#/properties/a" },
                                                       "c": { "$ref": "#/properties/a" } } } } }),
    ] {
        assert!(clean(&schema).to_string().len() < 100_000);
    }
}

#[test]
fn what_nothing_satisfies_is_left_out() {
    cleans(
        json!({ "type": "object", "properties": { "a": false, "b": true },
                "required": ["a", "b", "c"], "items": false, "anyOf": [] }),
        json!({ "type": "object", "properties": { "b": {} }, "required": ["b"] }),
    );
    cleans(json!({ "type": "object", "required": ["a"] }), json!({ "type": "object" }));
    cleans(json!(true), json!({}));
    cleans(json!({ "type": "any" }), json!({}));
}

#[test]
fn a_list_of_item_schemas_is_a_prefix() {
    cleans(
        json!({ "type": "array", "items": [{ "type": "string" }, { "type": "number" }] }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "number" }] }),
    );
}

/// What Gemini is told of a function's parameters.
fn parameters(schema: &Value) -> Result<Option<Value>, Refusal> {
    let json = serde_json::value::to_raw_value(schema).unwrap();
    of_parameters(&json, Path::root("p"))
}

#[test]
fn a_function_without_parameters_has_no_schema() {
    for schema in [
        json!({}),
        json!({ "type": "object" }),
        json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        json!({ "type": "object", "properties": {}, "required": [], "title": "Args" }),
    ] {
        assert_eq!(parameters(&schema), Ok(None), "{schema}");
    }
    let free = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    assert_eq!(parameters(&free), Ok(Some(free.clone())));
    let choice = json!({ "anyOf": [{ "type": "object", "properties": { "a": {} } }] });
    assert_eq!(parameters(&choice).unwrap().unwrap()["type"], "object");
}

#[test]
fn what_cannot_be_told_is_refused_by_its_place() {
    for (schema, param) in [
        (json!(false), "p"),
        (json!("nonsense"), "p"),
        (json!({ "type": "string" }), "p.type"),
        (json!({ "type": "array", "items": {} }), "p.type"),
        (json!({ "type": "None" }), "p.type"),
        (json!({ "properties": { "a": { "type": "strnig" } } }), "p.properties.a.type"),
        (json!({ "properties": { "a": "string" } }), "p.properties.a"),
        (json!({ "properties": { "a": { "$ref": "#/$defs/none" } } }), "p.properties.a.$ref"),
        (json!({ "items": [{ "$ref": "https://example.com/s" }] }), "p.items[0].$ref"),
        (json!({ "anyOf": [{}, { "allOf": [5] }] }), "p.anyOf[1].allOf[0]"),
    ] {
        let refusal = parameters(&schema).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{schema}");
    }
    assert!(
        parameters(&json!({ "type": "OBJECT", "properties": { "a": { "type": "Any" } } })).is_ok()
    );
}
