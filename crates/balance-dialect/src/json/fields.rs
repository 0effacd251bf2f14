//! A JSON object in which single fields are changed, however large the others are.
//!
//! Invariant: fields that nobody sets or takes stay byte for byte as they were written, in the
//! order in which they were written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::Text;

/// A JSON value as it was written, or one that took its place.
pub(crate) type Raw<'a> = Cow<'a, RawValue>;

/// The fields of an object. A field goes by any of several names, as Google takes `safetySettings`
/// and `safety_settings`; the first of them is the one that a new field gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields<'a>(Vec<(Text<'a>, Raw<'a>)>);

impl<'a> Fields<'a> {
    /// The fields of an object; none for any other JSON.
    pub(crate) fn read(json: &'a [u8]) -> Option<Self> {
        super::read(json).ok()
    }

    /// The same for a value within another.
    pub(crate) fn of(value: &'a RawValue) -> Option<Self> {
        super::read_str(value.get()).ok()
    }

    /// The field's value, unless it is `null`.
    pub(crate) fn find(&self, names: &[&str]) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(name, _)| names.contains(&&**name))?;
        Some(&**value).filter(|value| value.get() != "null")
    }

    /// Whether the field is there, and not `null`.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.find(names).is_some()
    }

    /// The text of a field; none when it is not there or no text.
    pub(crate) fn text(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        super::read_str::<Text<'_>>(self.find(names)?.get()).ok().map(Text::into_inner)
    }

    /// Sets a field, under the name that it has already if it is there.
    pub(crate) fn set(&mut self, names: &[&'a str], value: &impl Serialize) {
        let Ok(value) = to_raw_value(value) else { return };
        match self.0.iter_mut().find(|(name, _)| names.contains(&&**name)) {
            Some((_, old)) => *old = Cow::Owned(value),
            None => {
                let name = names.first().copied().unwrap_or_default();
                self.0.push((name.into(), Cow::Owned(value)));
            }
        }
    }

    /// Sets the field of a name that is not known beforehand.
    pub(crate) fn put(&mut self, name: &str, value: &impl Serialize) {
        let Ok(value) = to_raw_value(value) else { return };
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = Cow::Owned(value),
            None => self.0.push((name.to_owned().into(), Cow::Owned(value))),
        }
    }

    /// All fields, free of what they were read from.
    pub(crate) fn into_owned<'b>(self) -> impl Iterator<Item = (String, Raw<'b>)> {
        let owned = |(name, value): (Text<'a>, Raw<'a>)| {
            (name.into_inner().into_owned(), Cow::Owned(value.into_owned()))
        };
        self.0.into_iter().map(owned)
    }

    /// Sets a field that is not there.
    pub(crate) fn set_default(&mut self, names: &[&'a str], value: &impl Serialize) {
        if !self.has(names) {
            self.set(names, value);
        }
    }

    /// Takes a field away.
    pub(crate) fn remove(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&&**name));
    }

    /// Takes all other fields away.
    pub(crate) fn keep(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| names.contains(&&**name));
    }

    /// Changes the object that a field holds, an empty one if there is none; gives whether it did.
    pub(crate) fn within<T>(
        &mut self,
        names: &[&'a str],
        change: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let old = self.find(names).map(ToOwned::to_owned);
        let mut inner = old.as_deref().map_or_else(|| Some(Fields::default()), Fields::of)?;
        let result = change(&mut inner);
        if !inner.0.is_empty() {
            self.set(names, &inner);
        }
        Some(result)
    }

    /// Changes the objects in the list that a field holds, each in its place; other items stay.
    pub(crate) fn each(
        &mut self,
        names: &[&'a str],
        mut change: impl FnMut(usize, &mut Fields<'_>),
    ) {
        let Some(old) = self.find(names).map(ToOwned::to_owned) else { return };
        let Some(items) = list(&old) else { return };
        let changed = items.into_iter().enumerate().map(|(index, item)| {
            let Some(mut fields) = Fields::of(item) else { return Cow::Borrowed(item) };
            change(index, &mut fields);
            to_raw_value(&fields).map_or(Cow::Borrowed(item), Cow::Owned)
        });
        let changed: Vec<Raw<'_>> = changed.collect();
        self.set(names, &changed);
    }
}

/// The items of a list; none for any other JSON.
pub(crate) fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    super::read_str(value.get()).ok()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            fields.push((name, Cow::Borrowed(value)));
        }
        Ok(Fields(fields))
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (&**name, value)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(fields: &Fields<'_>) -> String {
        serde_json::to_string(fields).unwrap()
    }

    #[test]
    fn what_is_not_set_stays_as_it_was_written() {
        let json = br#"{"b":1.50e2, "a" : {"x" : [1, 2]},"c":"\u00e9"}"#;
        let mut fields = Fields::read(json).unwrap();
        fields.set(&["d", "dD"], &true);
        fields.set(&["other", "b"], &2);
        assert_eq!(written(&fields), r#"{"b":2,"a":{"x" : [1, 2]},"c":"\u00e9","d":true}"#);
        fields.remove(&["a", "c"]);
        fields.set_default(&["d"], &false);
        assert_eq!(written(&fields), r#"{"b":2,"d":true}"#);
    }

    #[test]
    fn null_is_not_there_and_is_replaced_where_it_stands() {
        let mut fields = Fields::read(br#"{"a":null,"b":1}"#).unwrap();
        assert!(!fields.has(&["a"]) && fields.has(&["b"]));
        fields.set_default(&["a"], &json!([]));
        assert_eq!(written(&fields), r#"{"a":[],"b":1}"#);
    }

    #[test]
    fn objects_within_are_changed_in_their_place() {
        let json = br#"{"a":{"x":1},"list":[{"y":1},"text",{"y" :2}]}"#;
        let mut fields = Fields::read(json).unwrap();
        fields.within(&["a"], |a| a.set(&["z"], &2));
        fields.within(&["new"], |new| new.set(&["z"], &3));
        fields.within(&["none"], |_| ());
        fields.each(&["list"], |_, item| item.set(&["n"], &0));
        let expected =
            r#"{"a":{"x":1,"z":2},"list":[{"y":1,"n":0},"text",{"y":2,"n":0}],"new":{"z":3}}"#;
        assert_eq!(written(&fields), expected);
        assert_eq!(fields.within(&["list"], |_| ()), None);
    }

    #[test]
    fn other_json_has_no_fields() {
        for json in ["[]", "1", "", "{", "{\"a\":1} x"] {
            assert!(Fields::read(json.as_bytes()).is_none(), "{json}");
        }
        assert_eq!(Fields::read(b" {\"a\":\"x\"} ").unwrap().text(&["a"]).as_deref(), Some("x"));
    }
}
