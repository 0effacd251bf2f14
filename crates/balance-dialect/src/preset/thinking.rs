//! How much models think by the operator's word.
//!
//! Invariant: a model is told only what its family accepts.

use serde_json::Value;

use super::naming::{Asked, Effort};
use super::pattern::best;
use crate::gemini::generate::request::ThinkingConfig;
use crate::translate::model::{Family, Level, Thinking};
use crate::translate::thinking::{Amount, Wish, amount_of_effort};

/// How much models think, by patterns of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThinkingMap(Vec<(String, Amount)>);

impl ThinkingMap {
    /// Reads a JSON object of numbers of tokens (−1 lets the model decide) and of efforts such as
    /// `"low"`; none for anything else.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let map: serde_json::Map<String, Value> = crate::json::read_str(json).ok()?;
        let rows = map.into_iter().map(|(name, amount)| {
            let amount = match amount.as_str() {
                Some(effort) => amount_of_effort(effort)?,
                None => Amount::Tokens(amount.as_i64().filter(|tokens| *tokens >= -1)?),
            };
            Some((name.trim_start_matches("models/").to_owned(), amount))
        });
        rows.collect::<Option<_>>().map(Self)
    }

    /// Whether it says nothing of any model.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much is thought for what was asked; none leaves it to the model. Rows
    /// for the name as it was asked for count as those for the model do.
    pub(super) fn config(
        &self,
        asked: &Asked,
        shows_thoughts: bool,
        family: &Family,
    ) -> Option<ThinkingConfig<'static>> {
        let set = || self.amount(&[&asked.name, &asked.model]);
        let amount = match asked.suffixes.thinking {
            None => set()?,
            Some(Effort::Usual) => set().unwrap_or_else(|| as_it_thinks_right(family)),
            Some(Effort::Least) => Amount::None,
            Some(Effort::Most) => Amount::Effort(Level::ExtraHigh),
        };
        let shows_thoughts = shows_thoughts && !matches!(amount, Amount::None | Amount::Tokens(0));
        Wish { amount, shows_thoughts }.config(family)
    }

    fn amount(&self, names: &[&str]) -> Option<Amount> {
        best(self.0.iter().map(|(pattern, amount)| (pattern.as_str(), *amount)), names)
    }
}

/// Thinking, for a family whose models may not think by themselves.
fn as_it_thinks_right(family: &Family) -> Amount {
    match family.thinking {
        // There is no level of the model's own choice, and the lowest is the default of some.
        Thinking::Levels(_) => Amount::Effort(Level::High),
        Thinking::Budget { .. } | Thinking::None => Amount::Tokens(-1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::naming::Suffixes;
    use super::*;
    use crate::translate::model::family;

    fn told(
        map: &str,
        model: &str,
        thinking: Option<Effort>,
    ) -> Option<(Option<i64>, Option<&'static str>, bool)> {
        let suffixes = Suffixes { thinking, ..Suffixes::default() };
        let asked = Asked { name: format!("{model}-x"), model: model.to_owned(), suffixes };
        let map = ThinkingMap::read(map).unwrap();
        let config = map.config(&asked, true, &family(model))?;
        Some((config.thinking_budget, config.thinking_level, config.include_thoughts.unwrap()))
    }

    #[test]
    fn each_family_is_told_in_its_own_words() {
        let map = r#"{"gemini-*": 4000, "gemini-2.5-pro-x": "high", "gemini-4-argon": 0, "gemini-4-carbon": "auto"}"#;
        let (least, usual, most) = (Some(Effort::Least), Some(Effort::Usual), Some(Effort::Most));
        for (map, model, suffix, expected) in [
            ("{}", "gemini-2.5-flash", None, None),
            ("{}", "gemini-2.5-flash", least, Some((Some(0), None, false))),
            ("{}", "gemini-2.5-pro", least, Some((Some(128), None, false))),
            ("{}", "gemini-3.8-flash", least, Some((None, Some("LOW"), false))),
            ("{}", "gemini-3-flash-preview", least, Some((None, Some("MINIMAL"), false))),
            ("{}", "gemini-2.5-flash-lite", usual, Some((Some(-1), None, true))),
            ("{}", "gemini-3.1-flash-lite", usual, Some((None, Some("HIGH"), true))),
            ("{}", "gemini-2.5-flash", most, Some((Some(24_576), None, true))),
            ("{}", "gemini-4-hydrogen", most, Some((None, Some("XHIGH"), true))),
            ("{}", "gemini-2.0-flash", usual, None),
            ("{}", "gemma-3-27b-it", least, None),
            (map, "gemini-2.5-flash", None, Some((Some(4000), None, true))),
            (map, "gemini-2.5-flash", usual, Some((Some(4000), None, true))),
            (map, "gemini-2.5-flash", least, Some((Some(0), None, false))),
            (map, "gemini-2.5-pro", None, Some((Some(24_576), None, true))),
            (map, "gemini-3.8-flash", None, Some((None, Some("MEDIUM"), true))),
            (map, "gemini-4-argon", None, Some((None, Some("LOW"), false))),
            (map, "gemini-4-carbon", None, Some((None, None, true))),
            (map, "gemma-3-27b-it", None, None),
        ] {
            assert_eq!(told(map, model, suffix), expected, "{model} {suffix:?}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for map in
            ["", "[]", "{", r#"{"a": -2}"#, r#"{"a": 1.5}"#, r#"{"a": "much"}"#, r#"{"a": null}"#]
        {
            assert_eq!(ThinkingMap::read(map), None, "{map}");
        }
    }
}
