//! From method and path to what is asked. Invariant: what Google's front end would not know is
//! `None`, and answered by its HTML page.

use std::borrow::Cow;

use http::{Method as Verb, Uri};
use percent_encoding::percent_decode_str;

use crate::credential::query_value;

/// What a request asks for. Names come without their collection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `models/{model}:{method}`
    Model { model: &'a str, method: &'a str },
    /// `models`
    ListModels,
    /// `models/{model}`
    ReadModel(&'a str),
    /// `upload/…/files`, the start of an upload
    StartUpload,
    /// `upload/…/files?upload_id=…`, the rest of it
    ContinueUpload(String),
    /// `files`
    ListFiles,
    /// `files/{file}`
    ReadFile(&'a str),
    /// `DELETE files/{file}`
    DeleteFile(&'a str),
    /// `files/{file}:download`
    DownloadFile(&'a str),
    /// `POST cachedContents`
    CreateCache,
    /// `cachedContents`
    ListCaches,
    /// `cachedContents/{cache}`
    ReadCache(&'a str),
    /// `DELETE cachedContents/{cache}`
    DeleteCache(&'a str),
}

/// The path, decoded, for [`route`].
pub(super) fn decoded_path(uri: &Uri) -> Cow<'_, str> {
    percent_decode_str(uri.path()).decode_utf8_lossy()
}

/// What is asked; `path` is the decoded path of `uri`.
pub(super) fn route<'a>(verb: &Verb, path: &'a str, uri: &Uri) -> Option<Route<'a>> {
    let (read, write) = (verb == Verb::GET, verb == Verb::POST);
    if let Some(rest) = path.strip_prefix("/upload") {
        let upload = versioned(rest)? == "files" && (write || verb == Verb::PUT);
        return upload.then(|| match query_value(uri, "upload_id") {
            Some(id) => Route::ContinueUpload(id.into_owned()),
            None => Route::StartUpload,
        });
    }
    let rest = versioned(path.strip_prefix("/download").unwrap_or(path))?;
    let (collection, name) = rest.split_once('/').unwrap_or((rest, ""));
    match (collection, name) {
        ("models", "") if read => Some(Route::ListModels),
        ("models", name) if read => Some(Route::ReadModel(name)),
        ("models", name) if write => {
            let (model, method) = name.rsplit_once(':')?;
            Some(Route::Model { model, method })
        }
        ("files", "") if read => Some(Route::ListFiles),
        ("files", name) if read => Some(match name.strip_suffix(":download") {
            Some(name) => Route::DownloadFile(name),
            None => Route::ReadFile(name),
        }),
        ("files", name) if verb == Verb::DELETE => Some(Route::DeleteFile(name)),
        ("cachedContents", "") if read => Some(Route::ListCaches),
        ("cachedContents", "") if write => Some(Route::CreateCache),
        ("cachedContents", name) if read => Some(Route::ReadCache(name)),
        ("cachedContents", name) if verb == Verb::DELETE => Some(Route::DeleteCache(name)),
        _ => None,
    }
}

/// What follows `/v1beta/`, or another version of the API.
fn versioned(path: &str) -> Option<&str> {
    ["/v1beta/", "/v1/", "/v1alpha/"].into_iter().find_map(|version| path.strip_prefix(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_by_rows() {
        let model = |model, method| Some(Route::Model { model, method });
        for (line, expected) in [
            ("POST /v1beta/models/m:generateContent", model("m", "generateContent")),
            ("POST /v1/models/m%3AcountTokens?key=k", model("m", "countTokens")),
            ("GET /v1beta/models/m:generateContent", Some(Route::ReadModel("m:generateContent"))),
            ("POST /v1beta/models/m", None),
            ("GET /v1alpha/models?pageSize=3", Some(Route::ListModels)),
            ("GET /v1beta/models/m", Some(Route::ReadModel("m"))),
            ("POST /upload/v1beta/files", Some(Route::StartUpload)),
            (
                "POST /upload/v1beta/files?upload_id=a%2Db&x=y",
                Some(Route::ContinueUpload("a-b".into())),
            ),
            ("GET /v1beta/files/a:download?alt=media", Some(Route::DownloadFile("a"))),
            ("GET /download/v1beta/files/a:download", Some(Route::DownloadFile("a"))),
            ("DELETE /v1beta/files/a", Some(Route::DeleteFile("a"))),
            ("POST /v1beta/cachedContents", Some(Route::CreateCache)),
            ("GET /v1beta/nothing", None),
            ("GET /v2/models", None),
            ("GET /", None),
        ] {
            let (verb, uri) = line.split_once(' ').unwrap();
            let (verb, uri): (Verb, Uri) = (verb.parse().unwrap(), uri.parse().unwrap());
            assert_eq!(route(&verb, &decoded_path(&uri), &uri), expected, "{line}");
        }
    }
}
