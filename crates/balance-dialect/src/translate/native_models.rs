//! A page of Google's own list of models, with the names that operators and suffixes leave or give.
//!
//! Invariant: what Google tells of a model stays as it was written; only names are added.

use std::borrow::Cow;

use serde_json::value::to_raw_value;

use super::malformed::Malformed;
use super::upstream::Upstream;
use crate::json::fields::{Fields, Raw, list};
use crate::preset::{Listed, Naming};
use crate::summary::{Ending, Summary, Usage};

const DISPLAY_NAME: [&str; 2] = ["displayName", "display_name"];

/// A page in the making.
#[derive(Debug)]
pub(crate) struct NativeModels(Naming);

impl NativeModels {
    pub(crate) fn new(naming: Naming) -> Self {
        Self(naming)
    }

    /// The request for the page at this path, with its query.
    pub(crate) fn request(target: &str) -> Upstream {
        Upstream { path: target.to_owned(), body: None }
    }

    /// Takes the page and writes it.
    ///
    /// # Errors
    /// [`Malformed`] for anything else than a page.
    pub(crate) fn whole(&self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let mut page = Fields::read(body).ok_or(Malformed::Unexpected)?;
        let own = page.find(&["models"]).map(ToOwned::to_owned);
        let own = own.as_deref().and_then(list).unwrap_or_default();
        let mut models: Vec<Raw<'_>> = Vec::with_capacity(own.len());
        let mut derived = Vec::new();
        for model in own {
            let Some(fields) = Fields::of(model) else { continue };
            let name = fields.text(&["name"]).unwrap_or_default();
            for listed in self.0.listed(name.strip_prefix("models/").unwrap_or(&name)) {
                if listed.label.is_empty() {
                    models.push(Cow::Borrowed(model));
                } else {
                    let renamed = to_raw_value(&renamed(fields.clone(), &listed));
                    derived.extend(renamed.ok().map(Cow::Owned));
                }
            }
        }
        models.append(&mut derived);
        page.set(&["models"], &models);
        crate::json::write(&page, out);
        Ok(Summary { usage: Usage::default(), ending: Ending::Finished })
    }
}

fn renamed<'a>(mut model: Fields<'a>, listed: &Listed) -> Fields<'a> {
    model.set(&["name"], &format!("models/{}", listed.id));
    let shown = model.text(&DISPLAY_NAME).map(|name| format!("{name}{}", listed.label));
    if let Some(shown) = shown {
        model.set(&DISPLAY_NAME, &shown);
    }
    model
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(naming: Naming, page: &Value) -> Value {
        let mut out = Vec::new();
        NativeModels::new(naming).whole(page.to_string().as_bytes(), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn names_with_suffixes_are_listed_and_hidden_ones_are_not() {
        let naming = Naming {
            search: ["gemini-a"].into_iter().collect(),
            hidden: ["gemini-b*"].into_iter().collect(),
            ..Naming::default()
        };
        let model =
            |name: &str, shown: &str| json!({ "name": name, "displayName": shown, "x": 1.5 });
        let given = json!({ "models": [model("models/gemini-a", "A"), model("models/gemini-b", "B"),
                            { "name": "models/gemini-c" }], "nextPageToken": "t" });
        let expected = json!({ "models": [model("models/gemini-a", "A"), { "name": "models/gemini-c" },
                               model("models/gemini-a-search", "A (search)")], "nextPageToken": "t" });
        assert_eq!(page(naming, &given), expected);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        let models = NativeModels::new(Naming::default());
        assert!(models.whole(b"[]", &mut Vec::new()).is_err());
        assert_eq!(page(Naming::default(), &json!({})), json!({ "models": [] }));
    }
}
