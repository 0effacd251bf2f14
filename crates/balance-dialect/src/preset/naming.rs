//! The model behind the name that a client asks for: operators map names, and clients put suffixes
//! behind them.
//!
//! Invariant: a name that Google gives to a model is never taken for another name with a suffix;
//! what cannot be told apart is asked for as it stands.

use super::pattern::{Patterns, best, matches};
use crate::translate::Refusal;
use crate::translate::is_known_model;

/// How names of models are read.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// Which name stands for which.
    pub map: ModelMap,
    /// The models that `-search` may stand behind; those named in full are listed with it.
    pub search: Patterns,
    /// The same for `-image`.
    pub image: Patterns,
    /// The same for `-thinking` and `-non-thinking`.
    pub thinking: Patterns,
    /// The models that are neither listed nor answered.
    pub hidden: Patterns,
}

/// Which name stands for which model, by patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelMap {
    /// As the operator wrote them.
    pub rows: Vec<(String, String)>,
    /// Whether names of OpenAI's models stand for Google's.
    pub knows_openai: bool,
}

/// What a name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name as it was asked for, without `models/`.
    pub name: String,
    /// The model behind it.
    pub model: String,
    /// What its suffixes ask for.
    pub suffixes: Suffixes,
}

/// What the suffixes of a name ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suffixes {
    /// An answer from Google Search.
    pub search: bool,
    /// A picture beside the text.
    pub image: bool,
    /// How much is thought.
    pub thinking: Option<Effort>,
}

/// How much a suffix lets the model think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As little as the model can.
    Least,
    /// As the operator set it for the model, or as the model thinks right.
    Usual,
    /// As much as the model can.
    Most,
}

#[derive(Debug, Clone, Copy)]
enum Suffix {
    Search,
    Image,
    Thinking(Effort),
}

/// The suffixes; one that ends like another stands before it.
const SUFFIXES: [(&str, Suffix); 8] = [
    ("-search", Suffix::Search),
    (":search", Suffix::Search),
    ("-image", Suffix::Image),
    ("-image-generation", Suffix::Image),
    ("-non-thinking", Suffix::Thinking(Effort::Least)),
    ("-nothinking", Suffix::Thinking(Effort::Least)),
    ("-maxthinking", Suffix::Thinking(Effort::Most)),
    ("-thinking", Suffix::Thinking(Effort::Usual)),
];

/// Names of OpenAI's models, for clients that know no others. Google keeps the aliases `…-latest`.
const OPENAI: [(&str, &str); 11] = [
    ("gpt-*", "gemini-flash-latest"),
    ("gpt-*-mini*", "gemini-flash-lite-latest"),
    ("gpt-*-nano*", "gemini-flash-lite-latest"),
    ("gpt-*-pro*", "gemini-pro-latest"),
    ("gpt-*-search*", "gemini-flash-latest-search"),
    ("chatgpt-*", "gemini-flash-latest"),
    ("o1*", "gemini-pro-latest"),
    ("o3*", "gemini-pro-latest"),
    ("o4*", "gemini-flash-latest"),
    ("text-embedding-3-*", "gemini-embedding-001"),
    ("text-embedding-ada-*", "gemini-embedding-001"),
];

/// How names of Google's models begin, which the row `*` of a map does not stand for.
const GOOGLE: [&str; 10] = [
    "gemini-",
    "gemma-",
    "learnlm-",
    "imagen-",
    "veo-",
    "lyria-",
    "embedding-",
    "aqa",
    "nano-banana",
    "deep-research-",
];

impl ModelMap {
    /// Whether a row of the operator's, other than `*`, stands for this name.
    pub(crate) fn has_row_for(&self, name: &str) -> bool {
        self.rows.iter().any(|(pattern, _)| pattern != "*" && matches(pattern, name))
    }

    /// Whether the operator's map has this very name.
    fn names(&self, name: &str) -> bool {
        self.rows.iter().any(|(pattern, _)| pattern == name)
    }

    /// The name that stands behind a name; none when it stands for itself.
    ///
    /// The operator's rows go before OpenAI's names, and these before the row `*`, which stands for
    /// every name that is none of Google's.
    fn target(&self, name: &str) -> Option<&str> {
        let rows = self.rows.iter().map(|(pattern, target)| (pattern.as_str(), target.as_str()));
        let row = best(rows.clone().filter(|(pattern, _)| *pattern != "*"), &[name]);
        if row.is_some() || GOOGLE.iter().any(|start| name.starts_with(start)) {
            return row;
        }
        let openai = OPENAI.into_iter().filter(|_| self.knows_openai);
        let any = || rows.clone().find(|(pattern, _)| *pattern == "*").map(|(_, target)| target);
        best(openai, &[name]).or_else(any)
    }
}

impl Naming {
    /// The model behind a name that has no `models/`.
    ///
    /// # Errors
    /// A [`Refusal`] of a model that the operator hides.
    pub fn resolve(&self, name: &str) -> Result<Asked, Refusal> {
        let (start, suffixes) = split(name);
        let with_suffixes = if self.map.names(name) { None } else { self.read(start, suffixes) };
        let (model, suffixes) = with_suffixes
            .or_else(|| self.read(name, Suffixes::default()))
            .unwrap_or_else(|| (self.map.target(name).unwrap_or(name), Suffixes::default()));
        if [name, model].iter().any(|name| self.hidden.match_name(name)) {
            return Err(Refusal::hidden_model(name));
        }
        Ok(Asked { name: name.to_owned(), model: model.to_owned(), suffixes })
    }

    /// The names that a model of this name is listed under: its own, and those with a suffix. None
    /// for a model that is hidden.
    #[must_use]
    pub fn listed(&self, model: &str) -> Vec<Listed> {
        let suffixes = [
            (&self.search, "-search", " (search)"),
            (&self.image, "-image", " (image)"),
            (&self.thinking, "-thinking", " (thinking)"),
            (&self.thinking, "-non-thinking", " (non-thinking)"),
        ];
        let derived = suffixes.into_iter().filter(|(list, _, _)| list.name(model));
        let derived =
            derived.map(|(_, suffix, label)| Listed { id: format!("{model}{suffix}"), label });
        let own = Listed { id: model.to_owned(), label: "" };
        let is_open = |listed: &Listed| self.resolve(&listed.id).is_ok();
        std::iter::once(own).chain(derived).filter(is_open).collect()
    }

    /// Whether models are listed under other names than Google's.
    #[must_use]
    pub fn changes_lists(&self) -> bool {
        let lists = [&self.search, &self.image, &self.thinking, &self.hidden];
        lists.iter().any(|list| !list.is_empty())
    }

    /// The model that a name stands for, with its own suffixes and these; none where a suffix is not
    /// allowed.
    fn read<'a>(&'a self, name: &'a str, suffixes: Suffixes) -> Option<(&'a str, Suffixes)> {
        let (model, own) = split(self.map.target(name).unwrap_or(name));
        let suffixes = Suffixes {
            search: suffixes.search || own.search,
            image: suffixes.image || own.image,
            thinking: suffixes.thinking.or(own.thinking),
        };
        self.allows(model, suffixes).then_some((model, suffixes))
    }

    fn allows(&self, model: &str, suffixes: Suffixes) -> bool {
        (!suffixes.search || self.search.match_name(model))
            && (!suffixes.image || self.image.match_name(model))
            && (suffixes.thinking.is_none() || self.thinking.match_name(model))
    }
}

/// A name in the list of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub id: String,
    /// What is added to the model's name for people.
    pub label: &'static str,
}

/// The name without its suffixes, and these.
fn split(name: &str) -> (&str, Suffixes) {
    let mut suffixes = Suffixes::default();
    let mut name = name;
    while !is_known_model(name) {
        let found = SUFFIXES.iter().find_map(|(end, suffix)| {
            name.strip_suffix(end).filter(|rest| !rest.is_empty()).map(|rest| (rest, *suffix))
        });
        let Some((rest, suffix)) = found else { break };
        match suffix {
            Suffix::Search => suffixes.search = true,
            Suffix::Image => suffixes.image = true,
            // The suffix at the end has the last word.
            Suffix::Thinking(effort) => suffixes.thinking = suffixes.thinking.or(Some(effort)),
        }
        name = rest;
    }
    (name, suffixes)
}

#[cfg(test)]
mod tests;
