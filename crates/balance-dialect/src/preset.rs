//! What the operator sets for all requests, and what a name's suffixes add to one of them.
//!
//! Invariant: what the client says itself is never overridden; a request that nothing is set for
//! stays byte for byte as it was.
//!
//! One place for all routes: native requests are tuned as they come, translated ones once they are
//! Gemini's.

mod naming;
mod pattern;
mod thinking;
mod tune;

pub use naming::{Asked, Effort, Listed, ModelMap, Naming, Suffixes};
pub use pattern::Patterns;
pub use thinking::ThinkingMap;

use serde_json::value::RawValue;

/// What the operator sets for all requests. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Preset {
    /// How names of models are read.
    pub naming: Naming,
    /// Whether answers name the model that gave them, or else the one that was asked for.
    pub tells_model: bool,
    /// Google's `safetySettings`, for requests that have none.
    pub safety_settings: Option<Box<RawValue>>,
    /// How much models think.
    pub thinking: ThinkingMap,
    /// Whether thoughts come back where the operator or a suffix says how much is thought.
    pub shows_thoughts: bool,
    /// Whether the sources of an answer stand at the end of its text, too.
    pub shows_sources: bool,
    /// Whether models may run code.
    pub code_execution: bool,
    /// The models that may read pages.
    pub url_context: Patterns,
    /// What is said in each conversation.
    pub prompt: Option<Prompt>,
}

/// What is said in each conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The words.
    pub text: String,
    /// Where they stand.
    pub place: PromptPlace,
}

/// Where words of the operator stand in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PromptPlace {
    /// Before the system instruction.
    #[default]
    System,
    /// Before the user's last words.
    UserPrefix,
    /// Behind the user's last words.
    UserSuffix,
}

impl Asked {
    /// The path of a native request with the model in place of the name; none for a path that names
    /// no model, or the model itself.
    #[must_use]
    pub fn renamed(&self, path: &str) -> Option<String> {
        if self.name == self.model {
            return None;
        }
        let (start, rest) = path.split_once("/models/")?;
        let verb = rest.rfind(':').and_then(|colon| rest.get(colon..)).unwrap_or_default();
        (!rest.contains('/')).then(|| {
            let model = crate::translate::path_segment(&self.model);
            format!("{start}/models/{model}{verb}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Suffixes};

    #[test]
    fn only_the_name_in_a_path_is_replaced() {
        let asked = |name: &str, model: &str| Asked {
            name: name.to_owned(),
            model: model.to_owned(),
            suffixes: Suffixes::default(),
        };
        let search = asked("a:search", "a");
        for (path, expected) in [
            ("/v1beta/models/a:search:generateContent", Some("/v1beta/models/a:generateContent")),
            ("/v1alpha/models/a%3Asearch:countTokens", Some("/v1alpha/models/a:countTokens")),
            ("/v1beta/models/a:search/operations/1", None),
            ("/v1beta/files/a", None),
        ] {
            assert_eq!(search.renamed(path).as_deref(), expected, "{path}");
        }
        let get = asked("a-search", "b c").renamed("/v1beta/models/a-search");
        assert_eq!(get.as_deref(), Some("/v1beta/models/b%20c"));
        assert_eq!(asked("a", "a").renamed("/v1beta/models/a:generateContent"), None);
    }
}
