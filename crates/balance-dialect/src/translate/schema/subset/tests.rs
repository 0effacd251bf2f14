use super::*;

#[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
#[track_caller]
fn writes(schema: Value, expected: Value) {
    let written = of(&crate::translate::schema::clean(&schema));
    // As text, since the order of properties matters.
    assert_eq!(written.to_string(), expected.to_string());
}

#[test]
fn references_are_put_in_place() {
    writes(
        json!({ "type": "object", "required": ["a"], "properties": {
                    "a": { "$ref": "#/$defs/A" }, "b": { "$ref": "#/$defs/A", "description": "B" } },
                "$defs": { "A": { "type": "string", "const": "x", "description": "An A." } } }),
        json!({ "type": "object", "required": ["a"], "properties": {
                    "a": { "type": "string", "enum": ["x"], "description": "An A." },
                    "b": { "type": "string", "enum": ["x"], "description": "B An A." } } }),
    );
}

#[test]
fn what_contains_itself_is_cut() {
    let text = of(&crate::translate::schema::clean(&json!({
        "type": "object", "required": ["v", "next"],
        "properties": { "v": { "type": "integer" }, "next": { "$ref": "#" } } })))
    .to_string();
    assert_eq!(text.matches("\"v\"").count(), 2 * 3, "{text}");
    assert!(text.contains(CUT) && !text.contains("$ref"), "{text}");
    let wide = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "type": "object", "properties":
        { "a": { "$ref": "#/$defs/A" }, "b": { "$ref": "#/$defs/A" }, "c": { "$ref": "#/$defs/B" } } },
        "B": { "type": "array", "items": { "$ref": "#/$defs/A" } } } });
    assert!(of(&crate::translate::schema::clean(&wide)).to_string().len() < 200_000);
}

#[test]
fn null_is_a_flag() {
    writes(json!({ "type": ["string", "null"] }), json!({ "type": "string", "nullable": true }));
    writes(
        json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }], "description": "N" }),
        json!({ "type": "integer", "description": "N", "nullable": true }),
    );
    writes(
        json!({ "type": ["string", "integer", "null"] }),
        json!({ "anyOf": [{ "type": "string", "nullable": true },
                          { "type": "integer", "nullable": true }] }),
    );
}

#[test]
fn a_choice_stands_alone() {
    writes(
        json!({ "type": "object", "description": "D", "properties": { "a": { "type": "string" } },
                "oneOf": [{ "required": ["a"] },
                          { "properties": { "b": { "type": "number" } }, "required": ["b"] }] }),
        json!({ "anyOf": [
            { "type": "object", "description": "D", "properties": { "a": { "type": "string" } } },
            { "type": "object", "description": "D", "required": ["b"], "properties":
                { "a": { "type": "string" }, "b": { "type": "number" } } }] }),
    );
}

#[test]
fn what_has_no_keyword_is_told() {
    writes(
        json!({ "type": "string", "format": "email", "title": "Mail" }),
        json!({ "type": "string", "description": "format: \"email\"" }),
    );
    writes(
        json!({ "type": "string", "format": "date-time" }),
        json!({ "type": "string", "format": "date-time" }),
    );
    writes(
        json!({ "type": "integer", "enum": [1, 2] }),
        json!({ "type": "integer", "description": "one of: [1,2]" }),
    );
    writes(
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        json!({ "type": "object", "description": "further properties: {\"type\":\"string\"}" }),
    );
    writes(
        json!({ "type": "string", "enum": ["", "a"] }),
        json!({ "type": "string", "enum": ["a"] }),
    );
}

#[test]
fn an_array_has_items() {
    writes(json!({ "type": "array" }), json!({ "type": "array", "items": { "type": "string" } }));
    writes(
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "number" }] }),
        json!({ "type": "array", "minItems": 2, "maxItems": 2,
                "items": { "anyOf": [{ "type": "string" }, { "type": "number" }] } }),
    );
}
