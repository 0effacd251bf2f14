//! The list of models, and one of them.
//!
//! Invariant: ids come without `models/`, the way that chats name models.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::malformed::Malformed;
use super::upstream::{Upstream, model_path};
use crate::gemini::models::{self as gemini, ListModelsResponse};
use crate::json;
use crate::openai::models::{Model, ModelList};
use crate::preset::{Listed, Naming};
use crate::summary::{Ending, Summary, Usage};

#[cfg(test)]
mod tests;

/// As many as Google puts on a page; so far all models fit on one.
const PAGE: &str = "/v1beta/models?pageSize=1000";

/// The list in the making.
#[derive(Debug)]
pub(crate) struct Models {
    naming: Naming,
    models: Vec<Model>,
    /// The same with suffixes; they come behind all others.
    derived: Vec<Model>,
    next_page: Option<Upstream>,
}

impl Models {
    /// A list of the names that operators and suffixes leave or give.
    pub(crate) fn new(naming: Naming) -> Self {
        Self { naming, models: Vec::new(), derived: Vec::new(), next_page: None }
    }

    /// The request for the first page.
    pub(crate) fn first_page() -> Upstream {
        Upstream { path: PAGE.to_owned(), body: None }
    }

    /// The request for the page that follows the last one taken; none when that was the last.
    pub(crate) fn next_page(&mut self) -> Option<Upstream> {
        self.next_page.take()
    }

    /// Takes a page; the last one writes the list.
    ///
    /// # Errors
    /// [`Malformed`] for anything else than a page.
    pub(crate) fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let page: ListModelsResponse<'_> = read(body)?;
        for model in &page.models {
            for listed in self.naming.listed(bare(&model.name)) {
                let of_kind =
                    if listed.label.is_empty() { &mut self.models } else { &mut self.derived };
                of_kind.push(entry(model, listed));
            }
        }
        let token = page.next_page_token.filter(|token| !token.is_empty());
        self.next_page = token.map(|token| {
            let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
            Upstream { path: format!("{PAGE}&pageToken={token}"), body: None }
        });
        if self.next_page.is_none() {
            self.models.append(&mut self.derived);
            let list = ModelList { object: "list", data: std::mem::take(&mut self.models) };
            json::write(&list, out);
        }
        Ok(finished())
    }
}

/// The request for one model.
pub(crate) fn request(name: &str) -> Upstream {
    Upstream { path: model_path(name), body: None }
}

/// Writes one model, by the name that it was asked for.
///
/// # Errors
/// [`Malformed`] for anything else than a model.
pub(crate) fn write_model(body: &[u8], id: &str, out: &mut Vec<u8>) -> Result<Summary, Malformed> {
    let model = read(body)?;
    json::write(&entry(&model, Listed { id: id.to_owned(), label: "" }), out);
    Ok(finished())
}

fn entry(model: &gemini::Model<'_>, listed: Listed) -> Model {
    Model {
        id: listed.id,
        object: "model",
        created: 0,
        owned_by: "google",
        display_name: model
            .display_name
            .as_ref()
            .map(|name| format!("{}{}", &**name, listed.label)),
        context_length: model.input_token_limit,
        max_output_tokens: model.output_token_limit,
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix("models/").unwrap_or(name)
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Malformed> {
    json::read(body).map_err(|error| Malformed::from(&error))
}

fn finished() -> Summary {
    Summary { usage: Usage::default(), ending: Ending::Finished }
}
