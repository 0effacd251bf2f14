use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::json::{Shown, write};

#[track_caller]
fn same(value: &(impl Serialize + ?Sized)) {
    let mut written = b"data: ".to_vec();
    write(value, &mut written);
    let expected = format!("data: {}", serde_json::to_string(value).unwrap());
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
enum Kind {
    Unit,
    New(Option<bool>),
    Tuple(i64, Vec<()>),
    Struct { a: f64, b: Unit },
}

#[derive(Serialize)]
struct All<'a> {
    kinds: [Kind; 4],
    #[serde(flatten)]
    kind: Kind,
    #[serde(flatten)]
    map: BTreeMap<String, Value>,
    raw: &'a RawValue,
    letter: char,
    pair: Pair,
    shown: Shown<&'a str>,
    none: Option<u8>,
}

#[test]
fn every_kind_of_value_is_written_as_serde_json_writes_it() {
    let raw: &RawValue = serde_json::from_str("{ \"a\\u00e9\" : [1.50, {}] }").unwrap();
    let value =
        json!({ "x\n": [[], {}, -1, 1.5, 1e300, u64::MAX, null, true], "y": { "": [{}, []] } });
    same(&value);
    same(&[raw, raw]);
    same(raw);
    same(&(f64::NAN, f32::INFINITY, 0.1_f32, -0.0, i64::MIN));
    same(&All {
        kinds: [
            Kind::Unit,
            Kind::New(None),
            Kind::Tuple(-7, vec![(), ()]),
            Kind::Struct { a: 2.0, b: Unit },
        ],
        kind: Kind::New(Some(false)),
        map: BTreeMap::from([("m\"".to_owned(), value)]),
        raw,
        letter: '"',
        pair: Pair(9, "p"),
        shown: Shown("a\\b"),
        none: None,
    });
}

#[test]
fn every_letter_is_escaped_as_serde_json_does_wherever_it_stands() {
    for letter in ('\0'..='\u{100}').chain(['\u{2028}', '\u{ff22}', '\u{1f600}']) {
        for before in 0..17 {
            let text = format!("{}{letter}{letter}{}", "a".repeat(before), "é".repeat(9));
            same(&text);
            same(&Shown(&text));
        }
    }
}

#[test]
fn what_is_no_name_writes_nothing() {
    let mut out = b"before".to_vec();
    write(&BTreeMap::from([((), 1)]), &mut out);
    assert_eq!(out, b"before");
}

proptest! {
    #[test]
    fn any_text_is_written_as_serde_json_writes_it(text in "(?s).*[\"\\\\\n\x7f\u{80}]?.*") {
        same(&text);
    }
}
