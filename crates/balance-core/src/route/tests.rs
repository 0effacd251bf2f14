use http::{HeaderMap, HeaderValue, Method, Uri};

use super::{
    BadPath, Dialect,
    Endpoint::{Chat, Completions, Embeddings, Model, Models, Responses},
    Native, NativeMethod, Route, dialect_of, route,
};
use crate::error::Error;

fn find(method: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<Route, Error> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let uri: Uri = path.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    route(&Method::from_bytes(method.as_bytes()).unwrap(), &uri, &headers)
}

fn native(path: &str, model: Option<&str>, method: NativeMethod) -> Route {
    Route::Native(Native { path: path.into(), model: model.map(Into::into), method })
}

/// One row per test: name, method, path, route.
macro_rules! routes {
    ($($name:ident: $method:literal $path:literal => $route:expr;)+) => {
        $( #[test] fn $name() { assert_eq!(find($method, $path, &[]).unwrap(), $route); } )+
    };
}

routes! {
    home: "GET" "/" => Route::Home;
    home_by_its_file: "GET" "/index.html" => Route::Home;
    health: "GET" "/health" => Route::Health;
    health_as_kubernetes_says_it: "GET" "/healthz" => Route::Health;
    ready: "HEAD" "/ready" => Route::Health;
    any_preflight: "OPTIONS" "/what/ever" => Route::Preflight;
    verify_by_get: "GET" "/verify" => Route::Verify;
    verify_by_post: "POST" "/verify" => Route::Verify;

    chat: "POST" "/v1/chat/completions" => Route::OpenAi(Chat);
    chat_without_prefix: "POST" "/chat/completions" => Route::OpenAi(Chat);
    chat_under_hf: "POST" "/hf/v1/chat/completions" => Route::OpenAi(Chat);
    chat_under_openai: "POST" "/openai/chat/completions" => Route::OpenAi(Chat);
    chat_under_openai_v1: "POST" "/openai/v1/chat/completions" => Route::OpenAi(Chat);
    chat_under_googles_prefix: "POST" "/v1beta/openai/chat/completions" => Route::OpenAi(Chat);
    chat_under_gemini_prefix: "POST" "/gemini/v1beta/openai/chat/completions" => Route::OpenAi(Chat);
    completions: "POST" "/v1/completions" => Route::OpenAi(Completions);
    completions_without_prefix: "POST" "/completions" => Route::OpenAi(Completions);
    chat_with_a_slash_behind: "POST" "/v1/chat/completions/" => Route::OpenAi(Chat);
    responses: "POST" "/v1/responses" => Route::OpenAi(Responses);
    embeddings: "POST" "/v1/embeddings" => Route::OpenAi(Embeddings);
    models_of_openai: "GET" "/v1/models" => Route::OpenAi(Models);
    models_without_prefix: "GET" "/models" => Route::OpenAi(Models);
    models_under_googles_openai: "GET" "/v1beta/openai/models" => Route::OpenAi(Models);
    one_model: "GET" "/v1/models/gemini-2.5-flash" => Route::OpenAi(Model("gemini-2.5-flash".into()));

    native_models: "GET" "/v1beta/models" => native("/v1beta/models", None, NativeMethod::Other);
    native_model: "GET" "/v1beta/models/gemini-2.5-pro" =>
        native("/v1beta/models/gemini-2.5-pro", Some("gemini-2.5-pro"), NativeMethod::Other);
    generate: "POST" "/v1beta/models/gemini-2.5-flash:generateContent" =>
        native("/v1beta/models/gemini-2.5-flash:generateContent", Some("gemini-2.5-flash"), NativeMethod::Generate);
    generate_by_v1: "POST" "/v1/models/gemini-2.5-flash:generateContent" =>
        native("/v1/models/gemini-2.5-flash:generateContent", Some("gemini-2.5-flash"), NativeMethod::Generate);
    stream: "POST" "/v1alpha/models/m:streamGenerateContent" =>
        native("/v1alpha/models/m:streamGenerateContent", Some("m"), NativeMethod::StreamGenerate);
    encoded_colon_stays_as_written: "POST" "/v1beta/models/m%3AgenerateContent" =>
        native("/v1beta/models/m%3AgenerateContent", Some("m"), NativeMethod::Generate);
    gemini_prefix_is_ours: "POST" "/gemini/v1beta/models/m:generateContent" =>
        native("/v1beta/models/m:generateContent", Some("m"), NativeMethod::Generate);
    tuned_model: "POST" "/v1beta/tunedModels/t:generateContent" =>
        native("/v1beta/tunedModels/t:generateContent", Some("t"), NativeMethod::Generate);
    publisher_model: "POST" "/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent" =>
        native("/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent", Some("m"), NativeMethod::StreamGenerate);
    upload: "POST" "/upload/v1beta/files" => native("/upload/v1beta/files", None, NativeMethod::Upload);
    upload_under_gemini: "POST" "/gemini/upload/v1beta/files" => native("/upload/v1beta/files", None, NativeMethod::Upload);
    download: "GET" "/download/v1beta/files/f:download" =>
        native("/download/v1beta/files/f:download", None, NativeMethod::Other);
    operation: "GET" "/v1beta/models/m/operations/o" =>
        native("/v1beta/models/m/operations/o", None, NativeMethod::Other);
    what_google_adds_next_month: "PATCH" "/v1beta/dreams/d" => native("/v1beta/dreams/d", None, NativeMethod::Other);
    rest_of_googles_openai: "POST" "/v1beta/openai/videos" => native("/v1beta/openai/videos", None, NativeMethod::OpenAi);
    openai_v1_goes_to_googles_own: "GET" "/openai/v1/videos/v" => native("/v1beta/openai/videos/v", None, NativeMethod::OpenAi);
}

#[test]
fn v1_models_are_googles_for_googles_header() {
    let google = [("x-goog-api-key", "k")];
    assert_eq!(
        find("GET", "/v1/models", &google).unwrap(),
        native("/v1/models", None, NativeMethod::Other)
    );
    assert_eq!(
        find("GET", "/v1/models/m", &google).unwrap(),
        native("/v1/models/m", Some("m"), NativeMethod::Other)
    );
    assert_eq!(find("GET", "/v1/models", &[]).unwrap(), Route::OpenAi(Models));
}

#[test]
fn what_looks_static_or_unknown_never_reaches_google() {
    for path in [
        "/favicon.ico",
        "/robots.txt",
        "/style.css",
        "/x",
        "/v1",
        "/v1beta",
        "/v1beta/",
        "/api/keys",
        "/v1/assistants",
        "/v2x-y/a",
        "/version/a",
        "/gemini",
        "/gemini/x",
        "/ws/a.b",
    ] {
        assert!(matches!(find("GET", path, &[]), Err(Error::NotFound)), "{path}");
    }
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    for (method, path, right) in [
        ("GET", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
        ("PUT", "/verify", "GET, HEAD, POST"),
    ] {
        let error = find(method, path, &[]).unwrap_err();
        assert_eq!(error.status(), 405, "{path}");
        assert!(error.to_string().contains(right), "{error}");
    }
}

#[test]
fn path_tricks_are_refused() {
    for (path, why) in [
        ("//v1/chat/completions", BadPath::Segment),
        ("/v1//chat/completions", BadPath::Segment),
        ("/v1beta/models/../files", BadPath::Segment),
        ("/v1beta/./models", BadPath::Segment),
        ("/v1beta/models/%2e%2e/files", BadPath::Segment),
        ("/v1beta/models/a%2fb:generateContent", BadPath::Slash),
        ("/v1beta/models/a%2Fb:generateContent", BadPath::Slash),
        ("/v1beta/models/a%5cb:generateContent", BadPath::Slash),
        ("/v1beta/models/a%0d%0ax:generateContent", BadPath::Control),
        ("/v1beta/models/a%00:generateContent", BadPath::Control),
        ("/v1beta/models/a%7f:generateContent", BadPath::Control),
        ("/v1beta/models/a%:generateContent", BadPath::Escape),
        ("/v1beta/models/a%2:generateContent", BadPath::Escape),
        ("/v1beta/models/a%zz:generateContent", BadPath::Escape),
        ("/v1beta/models/a%ff:generateContent", BadPath::Escape),
        ("/v1beta/models/a%", BadPath::Escape),
    ] {
        let error = find("POST", path, &[]).unwrap_err();
        assert!(matches!(error, Error::BadPath(found) if found == why), "{path}: {error:?}");
        assert_eq!(error.status(), 400, "{path}");
    }
}

#[test]
fn an_error_before_the_route_is_known_speaks_the_dialect_of_the_path() {
    for (path, dialect) in [
        ("/v1/assistants", Dialect::OpenAi),
        ("/v1beta/openai/x", Dialect::OpenAi),
        ("/chat/completions", Dialect::OpenAi),
        ("/v1beta/models/a%", Dialect::Gemini),
        ("/nothing", Dialect::Gemini),
    ] {
        assert_eq!(dialect_of(&path.parse().unwrap()), dialect, "{path}");
    }
}
