//! `cachedContents`: create, list, get, delete. Invariant: a cache of another project is answered
//! exactly as one that does not exist.

use serde_json::json;

use super::call::Call;
use super::paging::{Sizes, page};
use crate::google::{ApiError, ErrorName};
use crate::log::lock;
use crate::reply::Reply;

pub(super) fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let project = call.project()?;
    let body = call.json()?;
    let cache = lock(&call.state.caches).create(project, &body, call.state.now())?;
    Ok(Reply::json(&cache))
}

pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let project = call.project()?;
    let items = lock(&call.state.caches).list(project, call.state.now());
    let sizes = Sizes { usual: 50, most: 1000 };
    Ok(Reply::json(&page(call, "cachedContents", items, &sizes)?))
}

pub(super) fn read(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    let project = call.project()?;
    let found = lock(&call.state.caches).find(name, project, call.state.now()).cloned();
    let cache = found.ok_or_else(|| ErrorName::CacheForbidden.at(&call.place()))?;
    Ok(Reply::json(&cache))
}

pub(super) fn delete(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    let project = call.project()?;
    if lock(&call.state.caches).delete(name, project, call.state.now()) {
        return Ok(Reply::json(&json!({})));
    }
    Err(ErrorName::CacheForbidden.at(&call.place()))
}
