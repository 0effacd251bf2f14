//! Lists in pages. Invariant: following `nextPageToken` to its end gives every item once, in
//! order, and the last page has no token.

use serde_json::{Map, Value};

use super::call::Call;
use crate::google::ApiError;
use crate::log::hex;

/// How long pages are.
pub(super) struct Sizes {
    pub(super) usual: usize,
    pub(super) most: usize,
}

/// The page that a call asks for; the items come with their names.
pub(super) fn page(
    call: &Call<'_>,
    list: &str,
    items: Vec<(String, Value)>,
    sizes: &Sizes,
) -> Result<Value, ApiError> {
    let size = match call.query("pageSize").map(|size| size.parse::<i64>()) {
        None | Some(Ok(0)) => sizes.usual,
        Some(Ok(size)) if size > 0 => usize::try_from(size).unwrap_or(sizes.most).min(sizes.most),
        Some(_) => return Err(ApiError::invalid_argument("page_size must be a positive number.")),
    };
    let start = match call.query("pageToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            let position = items.iter().position(|(name, _)| hex(name.as_bytes()) == token);
            position.ok_or_else(|| ApiError::invalid_argument("Invalid page token."))?
        }
    };
    let next = items.get(start + size).map(|(name, _)| hex(name.as_bytes()));
    let shown: Vec<_> = items.into_iter().skip(start).take(size).map(|(_, item)| item).collect();
    let mut page = Map::new();
    if !shown.is_empty() {
        page.insert(list.to_owned(), Value::Array(shown));
    }
    if let Some(token) = next {
        page.insert("nextPageToken".to_owned(), token.into());
    }
    Ok(Value::Object(page))
}
