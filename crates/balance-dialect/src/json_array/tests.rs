//! Rows and laws of the array decoder.

use proptest::prelude::*;

use super::*;
use crate::cut::pieces;

/// What a stream gives: its elements, the error that stopped it, and whether the array closed.
type Outcome = (Vec<String>, Option<Error>, bool);

const PLENTY: usize = 1 << 20;

fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(limit);
    let mut elements = Vec::new();
    let mut failure = None;
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(element)) => elements.push(String::from_utf8_lossy(&element).into_owned()),
                Ok(None) => break,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    (elements, failure, decoder.is_closed())
}

#[test]
fn elements_are_split_where_the_array_says() {
    let rows: &[(&str, &[&str], bool)] = &[
        ("", &[], false),
        ("[", &[], false),
        (" [ ] \n", &[], true),
        ("[{\"a\":1}\n,\r\n{\"b\":[{}]}\n]\n", &["{\"a\":1}", "{\"b\":[{}]}"], true),
        ("[{}", &["{}"], false),
        ("[{},{\"half\":", &["{}"], false),
        (r#"[{"a":"}]\"{\\"},{"b":"\\\""}]"#, &[r#"{"a":"}]\"{\\"}"#, r#"{"b":"\\\""}"#], true),
        ("{\"error\":{}}", &["{\"error\":{}}"], true),
        ("\n{\"error\":{", &[], false),
        ("[{\"text\":\"汉字🦀\"}]", &["{\"text\":\"汉字🦀\"}"], true),
    ];
    for (stream, elements, is_closed) in rows {
        let expected = (elements.iter().map(|e| (*e).to_owned()).collect(), None, *is_closed);
        assert_eq!(decode(PLENTY, [stream.as_bytes()]), expected, "{stream:?}");
    }
}

#[test]
fn bytes_out_of_place_stop_the_stream_for_good() {
    let rows: &[(&str, usize, u8)] = &[
        ("data: {}", 0, b'd'),
        ("<html>", 0, b'<'),
        ("[1]", 0, b'1'),
        ("[[{}]]", 0, b'['),
        ("[,{}]", 0, b','),
        ("[{},]", 1, b']'),
        ("[{}{}]", 1, b'{'),
        ("[{}}", 1, b'}'),
        ("[{}]x", 1, b'x'),
        ("{},{}", 1, b','),
        ("\u{feff}[]", 0, 0xEF),
    ];
    for (stream, count, byte) in rows {
        let (elements, failure, _) = decode(PLENTY, [stream.as_bytes(), b"[{}]"]);
        assert_eq!(elements.len(), *count, "{stream:?}");
        assert_eq!(failure, Some(Error::Unexpected { byte: *byte }), "{stream:?}");
    }
}

#[test]
fn an_element_over_the_limit_stops_the_stream_for_good() {
    let too_long = Some(Error::TooLong { limit: 10 });
    for stream in ["[{},{\"a\":\"567890", "[{},{\"a\":\"5678\"}]", "[{},{\"a\":\"56789\"},{}]"] {
        let outcome = decode(10, [stream.as_bytes(), b",{}]"]);
        assert_eq!(outcome, (vec!["{}".to_owned()], too_long, false), "{stream:?}");
    }
    assert_eq!(decode(10, [b"[{\"a\":\"789\"}]".as_slice()]).1, too_long);
    assert_eq!(decode(11, [b"[{\"a\":\"789\"}]".as_slice()]).1, None);
}

#[test]
fn the_separator_makes_room_for_one_more_element() {
    let rows = [
        ("", Some("[")),
        (" \n", Some("[")),
        ("[", Some("")),
        ("[{}", Some(",\r\n")),
        ("[{}\n", Some(",\r\n")),
        ("[{}\n,\r\n", Some("")),
        ("[{}\n,\r\n{\"half\"", None),
        ("[{}]", None),
        ("{\"error\":", None),
        ("{}", None),
        ("[{}x", None),
    ];
    for (stream, separator) in rows {
        let mut decoder = Decoder::new(PLENTY);
        decoder.push(stream.as_bytes());
        while let Ok(Some(_)) = decoder.next() {}
        assert_eq!(decoder.separator(), separator, "{stream:?}");
    }
}

#[test]
fn all_cuts_into_three_pieces_give_the_same_elements() {
    let fixture = "[{\n  \"text\": \"déjà 汉字 🦀 \\\"]}\\\\\"\n}\n,\r\n{\"a\":[{\"b\":\"\\u007d\"},[]]}\n]\r\n";
    let bytes = fixture.as_bytes();
    let whole = decode(PLENTY, [bytes]);
    assert_eq!((whole.0.len(), whole.1, whole.2), (2, None, true));
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(decode(PLENTY, pieces), whole, "cut at {first} and {second}");
        }
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_elements(
        text in r#"\[?(\{("[a\\\\"{}\[\]é]{0,4}"?[:,\[{]?){0,4}[}\]]{0,2}[,\n]?){0,5}\]?.?"#,
        sizes in prop::collection::vec(1usize..7, 1..6),
        limit in prop_oneof![Just(PLENTY), 0usize..20],
    ) {
        prop_assert_eq!(decode(limit, pieces(text.as_bytes(), &sizes)), decode(limit, [text.as_bytes()]));
    }

    #[test]
    fn elements_of_a_written_array_come_back(
        texts in prop::collection::vec(".{0,20}", 0..5),
    ) {
        let values: Vec<_> = texts.iter().map(|text| serde_json::json!({ "a": [text] })).collect();
        let stream = serde_json::to_vec_pretty(&values).unwrap();
        let (elements, failure, is_closed) = decode(PLENTY, [stream.as_slice()]);
        prop_assert_eq!((failure, is_closed), (None, true));
        let read: Vec<serde_json::Value> =
            elements.iter().map(|element| serde_json::from_str(element).unwrap()).collect();
        prop_assert_eq!(read, values);
    }
}
