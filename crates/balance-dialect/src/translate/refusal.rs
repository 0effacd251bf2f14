//! Why a request cannot be translated, said so that its author can mend it.
//!
//! Invariant: a refusal about a field names that field, by its path in the body.

use std::fmt;

use thiserror::Error;

/// A request that is at fault; it is answered with status 400 and never sent on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Refusal {
    /// The field at fault, such as `messages[2].content[0].type`; none when no field is.
    pub param: Option<String>,
    /// A stable word for programs, such as `invalid_type`.
    pub code: &'static str,
    /// The place, the reason and the remedy, for people.
    pub message: String,
}

/// The code of a refusal of a model that is not offered here.
const HIDDEN_MODEL: &str = "model_not_found";

impl Refusal {
    /// Whether it refuses a model because it is not offered here.
    #[must_use]
    pub fn hides_model(&self) -> bool {
        self.code == HIDDEN_MODEL
    }

    /// The body is no JSON.
    pub(crate) fn invalid_json(reason: impl fmt::Display) -> Self {
        let message = format!("The request body cannot be read as JSON: {reason}.");
        Self { param: None, code: "invalid_json", message }
    }

    /// A field that must be there is not.
    pub(crate) fn missing(param: impl fmt::Display) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::at(param, "missing_required_parameter", message)
    }

    /// A field holds another kind of JSON than it takes.
    pub(crate) fn invalid_type(param: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let message = format!("Invalid type for '{param}': {reason}.");
        Self::at(param, "invalid_type", message)
    }

    /// A field holds a value that it does not take. `reason` says what it takes instead.
    pub(crate) fn invalid_value(param: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let message = format!("Invalid value for '{param}': {reason}.");
        Self::at(param, "invalid_value", message)
    }

    /// A field asks for something that Gemini or this gateway does not have.
    pub(crate) fn unsupported(param: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let message = format!("Unsupported parameter: '{param}': {reason}.");
        Self::at(param, "unsupported_parameter", message)
    }

    /// A model that is not offered here.
    pub(crate) fn hidden_model(name: &str) -> Self {
        let message = format!(
            "The model {} is not offered here. Ask for the list of models, and take another.",
            quoted(name)
        );
        Self::at("model", HIDDEN_MODEL, message)
    }

    fn at(param: impl fmt::Display, code: &'static str, message: String) -> Self {
        Self { param: Some(param.to_string()), code, message }
    }
}

/// Text of a client for use in a message: quoted, without control characters, and cut when long.
pub(crate) fn quoted(text: &str) -> impl fmt::Display {
    const SHOWN: usize = 60;
    let shown: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    let dots = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("'{shown}{dots}'")
}
