//! `models.list` and `models.get`. Invariant: the list is the catalogue, whoever asks.

use super::call::Call;
use super::paging::{Sizes, page};
use crate::google::{ApiError, CATALOGUE, Model};
use crate::reply::Reply;

pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.project()?;
    let items = CATALOGUE.iter().map(|model| (model.name.to_owned(), model.to_json())).collect();
    let sizes = Sizes { usual: 50, most: 1000 };
    Ok(Reply::json(&page(call, "models", items, &sizes)?))
}

pub(super) fn read(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    call.project()?;
    match Model::find(name) {
        Some(model) => Ok(Reply::json(&model.to_json())),
        None => Err(ApiError::plain(
            404,
            "NOT_FOUND",
            format!(
                "Model is not found: models/{name} for api version v1beta. Call \
                 ModelService.ListModels to see the list of available models and their supported \
                 methods."
            ),
        )),
    }
}
