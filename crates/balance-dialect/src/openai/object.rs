//! Objects that are read from JSON objects only.
//!
//! Invariant: an array where an object belongs is refused. Serde's derive would fill the fields of
//! a struct from it in their order, and so accept what no API means.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Implements `Deserialize` for structs that derive it with `#[serde(remote = "Self")]`.
macro_rules! object {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl<'de: 'a, 'a> serde::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize($crate::openai::object::ObjectOnly(deserializer))
            }
        })*
    };
}

pub(crate) use object;

/// Reads structs as maps.
pub(crate) struct ObjectOnly<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
