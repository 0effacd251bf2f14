//! References and `allOf`, put in place.
//!
//! Invariant: a reference to a definition of the root stays one; any other becomes what it points
//! to. The work is bounded, whatever the schema: what exceeds it is left open.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// How many schemas may be put in place of references, in all.
const EXPANSIONS: usize = 1024;
/// How deep they may stand in one another.
const DEPTH: usize = 8;
/// The name of the root among the definitions.
pub(super) const ROOT: &str = "__root";
/// Where definitions stand, by the newer and the older way.
const TABLES: [(&str, &str); 2] = [("$defs", "#/$defs/"), ("definitions", "#/definitions/")];

/// Resolves references against the root of a schema.
#[derive(Debug)]
pub(super) struct Expander<'s> {
    root: &'s Value,
    expansions_left: usize,
    depth: usize,
}

impl<'s> Expander<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root, expansions_left: EXPANSIONS, depth: 0 }
    }

    /// The root itself, in which no reference stays: Gemini wants a type there.
    pub(super) fn root<'m>(&mut self, root: &'m Map<String, Value>) -> Cow<'m, Map<String, Value>> {
        let mut expanded = self.expand(root);
        let hops = 0..DEPTH;
        for _ in hops {
            let Some(target) = expanded.get("$ref").and_then(|r| self.definition(r.as_str()?))
            else {
                break;
            };
            let target = self.whole(target);
            let mut merged = expanded.into_owned();
            merged.shift_remove("$ref");
            merge(&mut merged, &target);
            expanded = Cow::Owned(merged);
        }
        expanded
    }

    /// A schema without `allOf`, and with no `$ref` but one to a definition.
    pub(super) fn expand<'m>(
        &mut self,
        schema: &'m Map<String, Value>,
    ) -> Cow<'m, Map<String, Value>> {
        let all_of = schema.get("allOf").and_then(Value::as_array);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let stays = reference.is_none_or(|reference| self.definition(reference).is_some());
        if all_of.is_none() && stays {
            return Cow::Borrowed(schema);
        }
        let mut expanded = schema.clone();
        expanded.shift_remove("allOf");
        let branches: Vec<&Map<String, Value>> =
            all_of.into_iter().flatten().filter_map(Value::as_object).collect();
        if let [only] = branches[..]
            && expanded.keys().all(|key| is_annotation(key))
        {
            // The common way to annotate a reference: the reference may stay.
            merge(&mut expanded, &self.expand(only));
            return Cow::Owned(expanded);
        }
        let reference = reference.filter(|_| !stays || !branches.is_empty());
        if let Some(target) = reference.and_then(|reference| self.target(reference)) {
            let target = self.whole(target);
            merge(&mut expanded, &target);
        }
        if reference.is_some() {
            expanded.shift_remove("$ref");
        }
        for branch in branches {
            let branch = self.whole(branch);
            merge(&mut expanded, &branch);
        }
        Cow::Owned(expanded)
    }

    /// How deep the schemas that were put in place stand in one another.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Goes into a schema in which something was put in place.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// Comes back to the depth before.
    pub(super) fn leave(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// The definitions of the root, by name; the root among them when something refers to it.
    pub(super) fn definitions(&self) -> Vec<(&'s str, &'s Value)> {
        let tables = TABLES.iter().filter_map(|(table, _)| self.root.get(table));
        let all = tables.filter_map(Value::as_object).flatten();
        let all = all.map(|(name, schema)| (name.as_str(), schema));
        all.chain(refers_to_root(self.root).then_some((ROOT, self.root))).collect()
    }

    /// Whether a reference points to a schema.
    pub(super) fn is_known(&self, reference: &str) -> bool {
        reference == "#" || self.target(reference).is_some()
    }

    /// A schema without any reference at its top.
    fn whole<'m>(&mut self, schema: &'m Map<String, Value>) -> Cow<'m, Map<String, Value>>
    where
        's: 'm,
    {
        if self.expansions_left == 0 || self.depth >= DEPTH {
            return Cow::Owned(Map::new());
        }
        self.expansions_left -= 1;
        self.depth += 1;
        let mut expanded = self.expand(schema);
        let reference = expanded.get("$ref").and_then(Value::as_str);
        if let Some(target) = reference.and_then(|reference| self.target(reference)) {
            let target = self.whole(target);
            let mut merged = expanded.into_owned();
            merged.shift_remove("$ref");
            merge(&mut merged, &target);
            expanded = Cow::Owned(merged);
        }
        self.depth -= 1;
        expanded
    }

    /// The definition of the root that a reference names.
    fn definition(&self, reference: &str) -> Option<&'s Map<String, Value>> {
        if reference == "#" {
            return self.root.as_object();
        }
        let name = definition_name(reference)?;
        TABLES.iter().find_map(|(table, _)| self.root.get(table)?.get(&*name)?.as_object())
    }

    /// Whatever in the root a reference points to, by its place or by an anchor.
    fn target(&self, reference: &str) -> Option<&'s Map<String, Value>> {
        let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        let pointed = || self.root.pointer(&pointer)?.as_object();
        self.definition(reference).or_else(pointed).or_else(|| anchored(self.root, &pointer))
    }
}

/// Whether a schema, or one within it, refers to the root.
fn refers_to_root(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.get("$ref").is_some_and(|reference| reference == "#")
                || fields.values().any(refers_to_root)
        }
        Value::Array(values) => values.iter().any(refers_to_root),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The schema with an anchor.
fn anchored<'s>(schema: &'s Value, anchor: &str) -> Option<&'s Map<String, Value>> {
    match schema {
        Value::Object(fields) if fields.get("$anchor").is_some_and(|name| name == anchor) => {
            Some(fields)
        }
        Value::Object(fields) => fields.values().find_map(|value| anchored(value, anchor)),
        Value::Array(values) => values.iter().find_map(|value| anchored(value, anchor)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The name in a reference to a definition of the root.
pub(super) fn definition_name(reference: &str) -> Option<Cow<'_, str>> {
    let name = TABLES.iter().find_map(|(_, prefix)| reference.strip_prefix(prefix))?;
    if name.contains('/') {
        return None;
    }
    let name = percent_decode_str(name).decode_utf8().ok()?;
    let is_escaped = name.contains('~');
    Some(if is_escaped { name.replace("~1", "/").replace("~0", "~").into() } else { name })
}

/// Whether a keyword says something about a schema without limiting it.
fn is_annotation(key: &str) -> bool {
    matches!(key, "title" | "description" | "default" | "examples" | "deprecated" | "$comment")
}

/// Adds what a second schema demands. Where both say different things, the first one's word stands.
fn merge(first: &mut Map<String, Value>, second: &Map<String, Value>) {
    for (key, value) in second {
        match (first.get_mut(key), value) {
            (None, value) => drop(first.insert(key.clone(), value.clone())),
            (Some(Value::Object(first)), Value::Object(second)) if key == "properties" => {
                merge(first, second);
            }
            (Some(Value::Array(first)), Value::Array(second)) if key == "required" => {
                first.extend(
                    second.iter().filter(|name| !first.contains(name)).cloned().collect::<Vec<_>>(),
                );
            }
            (Some(_), _) => {}
        }
    }
}
