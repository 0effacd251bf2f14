//! Values, written as JSON to the end of a buffer.
//!
//! Invariant: the same bytes as serde_json writes, for all that has string keys; a test compares the
//! two.
//!
//! Most of what is translated is text, and most of a text needs no escape. Here its bytes are looked
//! at eight at a time, and names of fields not at all; serde_json looks at each byte.

use std::fmt;
use std::io::Write as _;

use serde::Serialize;
use serde::ser::{self, Serializer};

#[cfg(test)]
mod tests;

/// The struct by which serde_json gives JSON that is written already.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// Writes one value.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// A string is JSON that is written already.
    is_raw: bool,
}

/// The items of an array or object that was begun, and what ends it: nothing ends JSON that is
/// written already.
pub(super) struct Items<'a>(&'a mut Vec<u8>, &'static [u8]);

/// A value has no form in JSON.
#[derive(Debug, thiserror::Error)]
#[error("no JSON can be written for it")]
pub(super) struct Unwritable;

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), Unwritable>;
type Begun<'a> = Result<Items<'a>, Unwritable>;

impl<'a> Writer<'a> {
    /// Writes to the end of `out`.
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, is_raw: false }
    }

    fn put(self, json: &[u8]) -> Written {
        self.out.extend_from_slice(json);
        Ok(())
    }

    /// Digits are left to serde_json.
    fn number(self, number: impl Serialize) -> Written {
        serde_json::to_writer(self.out, &number).map_err(|_| Unwritable)
    }

    fn begin(self, begin: u8, end: &'static [u8]) -> Items<'a> {
        self.out.push(begin);
        Items(self.out, end)
    }

    /// Begins the object around a variant, up to its content.
    fn variant(self, name: &str) -> Self {
        self.out.push(b'{');
        put_name(self.out, name);
        self
    }
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Written {
        separate(self.0);
        item.serialize(Writer::new(self.0))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Written {
        let is_raw = self.1.is_empty();
        if !is_raw {
            put_name(self.0, name);
        }
        value.serialize(Writer { out: self.0, is_raw })
    }

    fn finish(self) -> Written {
        Writer::new(self.0).put(self.1)
    }
}

/// Puts a comma behind all but what begins an array or object.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'[' | b'{')) {
        out.push(b',');
    }
}

/// Writes a name that stands in our own code, and so needs no escape.
fn put_name(out: &mut Vec<u8>, name: &str) {
    debug_assert_eq!(plain(name.as_bytes()), name.len(), "{name}");
    out.reserve(name.len() + 4);
    separate(out);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes text as it stands between quotes.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some((run, behind)) = rest.split_at_checked(plain(rest)) {
        out.extend_from_slice(run);
        let Some((&byte, behind)) = behind.split_first() else { return };
        rest = behind;
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let _ = write!(out, "\\u{byte:04x}"); // to memory, so it cannot fail
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
}

/// How many bytes stand before the first that needs an escape.
fn plain(bytes: &[u8]) -> usize {
    let marks = |word: &[u8; 8]| special(u64::from_le_bytes(*word));
    let place = |marks: u64| marks.trailing_zeros() as usize / 8;
    let (words, _) = bytes.as_chunks();
    if let Some((index, found)) = words.iter().map(marks).enumerate().find(|(_, it)| *it != 0) {
        return index * 8 + place(found);
    }
    // The rest is looked at together with bytes that were found plain.
    if let Some(last) = bytes.last_chunk() {
        return bytes.len() - 8 + place(marks(last));
    }
    let is_special = |byte: &u8| matches!(byte, ..0x20 | b'"' | b'\\');
    bytes.iter().position(is_special).unwrap_or(bytes.len())
}

/// Marks the highest bit of the first of eight bytes that needs an escape, if there is one, and
/// perhaps of some behind it: a byte that is less than another borrows from that bit in a subtraction.
const fn special(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    let quote = word ^ (EACH * b'"' as u64);
    let backslash = word ^ (EACH * b'\\' as u64);
    let is_control = word.wrapping_sub(EACH * 0x20) & !word;
    let is_quote = quote.wrapping_sub(EACH) & !quote;
    let is_backslash = backslash.wrapping_sub(EACH) & !backslash;
    (is_control | is_quote | is_backslash) & (EACH * 0x80)
}

/// Takes what displays itself, and escapes it.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Methods of one number each.
macro_rules! numbers {
    ($($method:ident($number:ty)),*) => {
        $(fn $method(self, number: $number) -> Written {
            self.number(number)
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    numbers!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64)
    );

    fn serialize_bool(self, value: bool) -> Written {
        self.put(if value { b"true" } else { b"false" })
    }

    fn serialize_char(self, letter: char) -> Written {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Written {
        if self.is_raw {
            return self.put(text.as_bytes());
        }
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        escape(self.out, text);
        self.put(b"\"")
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Written {
        self.out.push(b'"');
        fmt::write(&mut Escaped(self.out), format_args!("{value}")).map_err(|_| Unwritable)?;
        self.put(b"\"")
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.put(b"null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let this = self.variant(variant);
        value.serialize(Writer::new(this.out))?;
        this.put(b"}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Begun<'a> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Begun<'a> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Begun<'a> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Begun<'a> {
        Ok(self.variant(variant).begin(b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Begun<'a> {
        Ok(self.begin(b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Begun<'a> {
        Ok(if name == RAW { Items(self.out, b"") } else { self.begin(b'{', b"}") })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Begun<'a> {
        Ok(self.variant(variant).begin(b'{', b"}}"))
    }
}

/// Traits whose methods take one item or field each.
macro_rules! items {
    ($($name:ident: $method:ident($($field:ident: $text:ty)?) by $by:ident),* $(,)?) => {
        $(impl ser::$name for Items<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, $($field: $text,)? value: &T) -> Written {
                self.$by($($field,)? value)
            }

            fn end(self) -> Written {
                self.finish()
            }
        })*
    };
}

items!(
    SerializeSeq: serialize_element() by item,
    SerializeTuple: serialize_element() by item,
    SerializeTupleStruct: serialize_field() by item,
    SerializeTupleVariant: serialize_field() by item,
    SerializeStruct: serialize_field(name: &'static str) by field,
    SerializeStructVariant: serialize_field(name: &'static str) by field,
);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        separate(self.0);
        let start = self.0.len();
        key.serialize(Writer::new(self.0))?;
        if self.0.get(start) == Some(&b'"') { Ok(()) } else { Err(Unwritable) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.0.push(b':');
        value.serialize(Writer::new(self.0))
    }

    fn end(self) -> Written {
        self.finish()
    }
}
