//! Rows and laws of the decoder and the encoder.

use proptest::prelude::*;

use super::*;
use crate::cut::pieces;

/// What a stream gives: its events, and the error that stopped it.
type Outcome = (Vec<Event>, Option<TooLong>);

const PLENTY: usize = 1 << 20;

fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    while let Some(event) = decoder.finish() {
        events.push(event);
    }
    (events, None)
}

fn decode_whole(bytes: &[u8]) -> Vec<Event> {
    let (events, error) = decode(PLENTY, [bytes]);
    assert_eq!(error, None);
    events
}

fn data(text: &str) -> Event {
    Event { kind: Kind::Data, name: None, data: text.into() }
}

fn named(name: &str, text: &str) -> Event {
    Event { kind: Kind::Data, name: Some(name.to_owned()), data: text.into() }
}

fn stray(text: &str) -> Event {
    Event { kind: Kind::Stray, name: None, data: text.into() }
}

#[test]
fn events_are_read_as_the_standard_says() {
    let rows: &[(&str, &[Event])] = &[
        ("", &[]),
        ("data: a\n\n", &[data("a")]),
        ("data: a\r\n\r\n", &[data("a")]),
        ("data: a\r\r", &[data("a")]),
        ("data: a\r\r\n", &[data("a")]),
        ("data:a\n\ndata:  b\n\n", &[data("a"), data(" b")]),
        ("data: a\ndata: b\r\ndata\n\n", &[data("a\nb\n")]),
        ("data\n\n", &[data("")]),
        ("data:\n\n", &[data("")]),
        ("\n\n\r\n\ndata: a\n\n\n\n", &[data("a")]),
        (": ping\n\ndata: a\n:x\ndata: b\n\n", &[data("a\nb")]),
        ("event: add\nid: 7\nretry: 10\ndata: a\n\ndata: b\n\n", &[named("add", "a"), data("b")]),
        ("event: lost\n\ndata: a\n\n", &[data("a")]),
        ("data: a: b\n\n", &[data("a: b")]),
        ("x-other: 1\nunknown\ndata: a\n\n", &[data("a")]),
        ("\u{feff}data: a\n\n", &[data("a")]),
        ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &[stray("\u{feff}data: a"), data("b")]),
        ("data: [DONE]\n\n", &[data("[DONE]")]),
    ];
    for (stream, events) in rows {
        assert_eq!(decode_whole(stream.as_bytes()), *events, "{stream:?}");
    }
}

#[test]
fn the_end_of_the_input_ends_the_last_event() {
    let rows: &[(&str, &[Event])] = &[
        ("data: a", &[data("a")]),
        ("data: a\r", &[data("a")]),
        ("data: a\ndata: b\n", &[data("a\nb")]),
        ("dat", &[]),
        ("event: add\n", &[]),
        ("{\"error\":", &[stray("{\"error\":\n")]),
        ("{\ndata: a", &[stray("{"), data("a")]),
    ];
    for (stream, events) in rows {
        assert_eq!(decode_whole(stream.as_bytes()), *events, "{stream:?}");
    }
}

#[test]
fn finish_gives_what_next_was_not_asked_for() {
    let mut decoder = Decoder::new(PLENTY);
    decoder.push(b"data: a\n\ndata: b");
    assert_eq!(decoder.finish(), Some(data("a")));
    assert_eq!(decoder.finish(), Some(data("b")));
    assert_eq!(decoder.finish(), None);
}

#[test]
fn raw_json_is_collected_as_one_stray() {
    let error = "{\n  \"error\": {\n    \"code\": 503,\n\n    \"message\": \"a \\\" } b\"\n  }\n}";
    let rows: &[(String, &[Event])] = &[
        (error.to_owned(), &[stray(error)]),
        (format!("data: a\n\n{error}\n"), &[data("a"), stray(error)]),
        (format!("data: a\n{error}\n\ndata: b\n\n"), &[data("a"), stray(error), data("b")]),
        (format!("[{error}]"), &[stray(&format!("[{error}]"))]),
        (
            "{\"error\":{}}\n{\"error\":{}}\n".to_owned(),
            &[stray("{\"error\":{}}"), stray("{\"error\":{}}")],
        ),
        ("[1,\nnull\n]\n".to_owned(), &[stray("[1,\nnull\n]")]),
        (
            "{ \"half\": \"\n: comment\ndata: a\n\n".to_owned(),
            &[stray("{ \"half\": \""), data("a")],
        ),
        ("<p>Busy</p>\n".to_owned(), &[stray("<p>Busy</p>")]),
    ];
    for (stream, events) in rows {
        assert_eq!(decode_whole(stream.as_bytes()), *events, "{stream:?}");
    }
}

#[test]
fn a_stray_is_given_once_its_json_closes() {
    let mut decoder = Decoder::new(PLENTY);
    decoder.push(b"{\"error\":\n{}\n");
    assert_eq!(decoder.next(), Ok(None));
    decoder.push(b"}\n");
    assert_eq!(decoder.next(), Ok(Some(stray("{\"error\":\n{}\n}"))));
}

#[test]
fn an_event_is_given_at_the_carriage_return_that_ends_it() {
    let mut decoder = Decoder::new(PLENTY);
    decoder.push(b"data: a\r\n\r");
    assert_eq!(decoder.next(), Ok(Some(data("a"))));
    decoder.push(b"\ndata: b\r\n\r\n");
    assert_eq!(decoder.next(), Ok(Some(data("b"))));
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn the_decoder_knows_whether_an_event_is_open() {
    let rows = [
        ("", false),
        ("data: a\n\n", false),
        ("data: a\r\n\r", false),
        (": ping\n", false),
        ("d", true),
        ("data: a", true),
        ("data: a\n", true),
        ("event: add\n", true),
        ("{\n", true),
        ("{\n}\n", false),
    ];
    for (stream, is_inside) in rows {
        let mut decoder = Decoder::new(PLENTY);
        decoder.push(stream.as_bytes());
        while decoder.next().unwrap().is_some() {}
        assert_eq!(decoder.is_inside_event(), is_inside, "{stream:?}");
    }
}

#[test]
fn an_event_over_the_limit_stops_the_stream_for_good() {
    let rows = [
        "data: 0123456789",
        "data: 0123456789\n\n",
        "data: 01234\ndata: 56789\n\n",
        "data:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:",
        "{\n\n\n\n\n\n\n\n\n\n\n\n\n",
        ": 0123456789",
    ];
    for stream in rows {
        let mut decoder = Decoder::new(10);
        decoder.push(b"data: a\n\n");
        decoder.push(stream.as_bytes());
        decoder.push(b"\n");
        assert_eq!(decoder.next(), Ok(Some(data("a"))), "{stream:?}");
        assert_eq!(decoder.next(), Err(TooLong { limit: 10 }), "{stream:?}");
        decoder.push(b"\n\ndata: b\n\n");
        assert_eq!(decoder.next(), Err(TooLong { limit: 10 }), "{stream:?}");
        assert_eq!(decoder.finish(), None, "{stream:?}");
    }
}

#[test]
fn all_cuts_into_three_pieces_give_the_same_events() {
    let fixture = "\u{feff}: hello\r\ndata: {\"text\":\"déjà 汉字 🦀\"}\r\n\r\nevent: x\rdata: 1\r\
        data: 2\r\r\n\ndata:3\n\n{\n \"error\": {\n\n \"message\": \"\\\"}é\"\r\n }\r}\ndata: 4";
    let bytes = fixture.as_bytes();
    let whole = decode(PLENTY, [bytes]);
    assert_eq!(whole.0.len(), 5);
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(decode(PLENTY, pieces), whole, "cut at {first} and {second}");
        }
    }
}

#[test]
fn encoding_puts_each_line_of_the_data_on_a_line_of_its_own() {
    let rows = [
        ("a", "data: a\n\n"),
        ("", "data: \n\n"),
        ("a\nb", "data: a\ndata: b\n\n"),
        ("a\r\nb\rc\n", "data: a\ndata: b\ndata: c\ndata: \n\n"),
    ];
    for (text, expected) in rows {
        let mut out = Vec::new();
        encode(text.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn a_comment_is_no_event() {
    let mut out = Vec::new();
    comment("keep-alive\ndata: a", &mut out);
    assert_eq!(out, b": keep-alive\n: data: a\n\n");
    assert_eq!(decode_whole(&out), []);
}

/// Streams made of the pieces that matter to the decoder, far likelier to meet than by chance.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    const TOKENS: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"data:",
        b"data: {\"a\":1}",
        b"event: e",
        b": c",
        b"id: 1",
        b"{",
        b"}",
        b"\"",
        b"\\",
        b" ",
        b"x",
        b"\xEF",
        b"\xEF\xBB\xBF",
        "汉".as_bytes(),
        b"\xFF",
    ];
    prop::collection::vec(prop::sample::select(TOKENS), 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_events(
        bytes in streams(),
        sizes in prop::collection::vec(1usize..9, 1..6),
        limit in prop_oneof![Just(PLENTY), 0usize..30],
    ) {
        prop_assert_eq!(decode(limit, pieces(&bytes, &sizes)), decode(limit, [bytes.as_slice()]));
    }

    #[test]
    fn what_was_encoded_decodes_to_itself(events in prop::collection::vec("[^\r]{0,30}", 0..5)) {
        let mut out = Vec::new();
        for event in &events {
            encode(event.as_bytes(), &mut out);
        }
        let expected: Vec<_> = events.iter().map(|text| data(text)).collect();
        prop_assert_eq!(decode_whole(&out), expected);
    }
}
