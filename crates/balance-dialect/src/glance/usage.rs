//! The counts that one event of an answer states.
//!
//! Invariant: a count is known by its names wherever it is read, and nothing that stands deeper is
//! taken for one.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::{
    json::{Text, end_of_string},
    summary::Usage,
};

/// The counts in one event; `None` where it states none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StatedUsage {
    prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    tool_use: Option<u64>,
    total: Option<u64>,
}

impl StatedUsage {
    /// The counts in the last bytes of a body whose beginning is not known.
    pub(crate) fn near_end(tail: &[u8]) -> Option<Self> {
        // Inside a string the quotes would be escaped, so this is a name. Its rare letter is looked
        // for, as to prepare a search for the whole of it takes longer than an answer is long.
        const NAME: (&[u8], &[u8]) = (b"\"usage", b"Metadata\"");
        let after_name = memchr::memrchr_iter(b'M', tail).find_map(|middle| {
            let (before, after) = tail.split_at_checked(middle)?;
            before.ends_with(NAME.0).then(|| after.strip_prefix(NAME.1)).flatten()
        })?;
        let value = after_name.trim_ascii_start().strip_prefix(b":")?;
        Self::beginning(value.trim_ascii_start())
    }

    /// The counts of the object that a text begins with; `None` if that is not whole. It reads
    /// nearly every answer, and so takes fewer steps than a reader of any JSON.
    fn beginning(text: &[u8]) -> Option<Self> {
        let mut stated = Self::default();
        let (mut place, mut depth, mut name) = (0, 0_usize, None);
        if text.first() != Some(&b'{') {
            return None;
        }
        loop {
            match text.get(place)? {
                b'"' => {
                    let end = end_of_string(text, place)?;
                    name = text.get(place + 1..end).filter(|_| depth == 1);
                    place = end;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return Some(stated),
                b'}' | b']' => depth -= 1,
                b'0'..=b'9' => {
                    let rest = text.get(place..)?;
                    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
                    if let Some(count) = name.take().and_then(|name| stated.named(name)) {
                        *count = number(digits);
                    }
                    place += digits.len() - 1;
                }
                // What is below zero counts nothing.
                b'-' => name = None,
                _ => {}
            }
            place += 1;
        }
    }

    /// Replaces the counts that this event states.
    pub(crate) fn update(&self, usage: &mut Usage) {
        let fields = [
            (self.prompt, &mut usage.prompt_tokens),
            (self.cached, &mut usage.cached_tokens),
            (self.candidates, &mut usage.candidates_tokens),
            (self.thoughts, &mut usage.thoughts_tokens),
            (self.tool_use, &mut usage.tool_use_tokens),
            (self.total, &mut usage.total_tokens),
        ];
        for (stated, field) in fields {
            *field = stated.unwrap_or(*field);
        }
    }

    /// The count of a name: Gemini's own, then those of the Interactions API and of OpenAI's format.
    fn named(&mut self, name: &[u8]) -> Option<&mut Option<u64>> {
        Some(match name {
            b"promptTokenCount" | b"total_input_tokens" | b"prompt_tokens" => &mut self.prompt,
            b"cachedContentTokenCount" | b"total_cached_tokens" => &mut self.cached,
            b"candidatesTokenCount" | b"total_output_tokens" | b"completion_tokens" => {
                &mut self.candidates
            }
            b"thoughtsTokenCount" | b"total_thought_tokens" => &mut self.thoughts,
            b"toolUsePromptTokenCount" | b"total_tool_use_tokens" => &mut self.tool_use,
            b"totalTokenCount" | b"total_tokens" => &mut self.total,
            _ => return None,
        })
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

impl<'de> Deserialize<'de> for StatedUsage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UsageVisitor)
    }
}

struct UsageVisitor;

impl<'de> Visitor<'de> for UsageVisitor {
    type Value = StatedUsage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counts of tokens")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<StatedUsage, A::Error> {
        let mut stated = StatedUsage::default();
        while let Some(name) = object.next_key::<Text<'_>>()? {
            match stated.named(name.as_bytes()) {
                Some(count) => *count = object.next_value()?,
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(stated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(tail: &str) -> Option<u64> {
        StatedUsage::near_end(tail.as_bytes()).and_then(|usage| usage.total)
    }

    #[test]
    fn the_last_counts_are_found_in_the_end_of_a_body() {
        let rows = [
            (r#"x"}]}],"usageMetadata": {"totalTokenCount":7},"modelVersion":"m"}"#, Some(7)),
            (
                r#""usageMetadata":{"totalTokenCount":1}},"usageMetadata"  :{"totalTokenCount":7}}"#,
                Some(7),
            ),
            (r#"\"usageMetadata\":{\"totalTokenCount\":7}"#, None),
            (r#""usageMetadata":{"totalTokenCount":7"#, None),
            (r#""usageMetadata":null,"x":{"totalTokenCount":7}"#, None),
            (r#""usageMetadata""#, None),
            (r#""usageMetadata":"#, None),
            ("", None),
        ];
        for (tail, expected) in rows {
            assert_eq!(total(tail), expected, "{tail}");
        }
    }

    #[test]
    fn the_quick_reader_reads_what_a_reader_of_json_reads() {
        let rows = [
            r#"{"promptTokenCount":9,"totalTokenCount":42,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9,"totalTokenCount":1}]}"#,
            r#"{ "cachedContentTokenCount" : 0 ,
                "trafficType": "ON_DEMAND", "toolUsePromptTokenCount":
                18446744073709551615, "candidatesTokenCount": null }"#,
            r#"{"a":"\"totalTokenCount\":1","b":{"totalTokenCount":2},"thoughtsTokenCount":3,"c":[4,[5]],"d":true}"#,
            "{}",
        ];
        for json in rows {
            let read: StatedUsage = serde_json::from_str(json).unwrap();
            assert_eq!(StatedUsage::beginning(json.as_bytes()), Some(read), "{json}");
        }
    }

    #[test]
    fn what_is_no_count_is_left_out_and_nothing_panics() {
        for json in [r#"{"totalTokenCount":-5}"#, r#"{"totalTokenCount":99999999999999999999}"#] {
            assert_eq!(StatedUsage::beginning(json.as_bytes()), Some(StatedUsage::default()));
        }
        let whole = br#"{"a":"\\","promptTokenCount":12,"d":[{"e":"\""}],"totalTokenCount":34}"#;
        for end in 0..whole.len() {
            assert_eq!(StatedUsage::beginning(&whole[..end]), None);
        }
        assert_eq!(StatedUsage::beginning(whole).and_then(|usage| usage.total), Some(34));
    }
}
