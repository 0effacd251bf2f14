//! The way of a request through the fake: log, rule, answer, faults. Invariant: whatever happens,
//! the log holds the request and how it ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use serde_json::Value;

use crate::control;
use crate::google::{ErrorName, Place};
use crate::log::{Ending, Ticket};
use crate::reply::{Cut, Form, JSON, Line, Reply, Transmission, pretty, sending};
use crate::rule::Rule;
use crate::state::State;

mod caches;
mod call;
mod check;
mod files;
mod generate;
mod models;
mod paging;
mod route;
mod upload;

use call::Call;
use route::{Route, decoded_path, route};

/// The body of every answer.
pub(crate) type Body = Either<Full<Bytes>, Transmission>;

/// Answers a request; `Err` closes the connection without an answer.
pub(crate) async fn serve(
    state: Arc<State>,
    request: Request<Incoming>,
    line: Arc<Line>,
) -> Result<Response<Body>, Cut> {
    if request.uri().path().starts_with("/_mock") {
        return Ok(control::serve(&state, request).await.map(Either::Left));
    }
    let uploads = {
        let path = decoded_path(request.uri());
        matches!(route(request.method(), &path, request.uri()), Some(Route::ContinueUpload(_)))
    };
    let (head, incoming) = request.into_parts();
    let (body, rest) = match uploads {
        true => (Bytes::new(), Some(incoming)),
        false => match incoming.collect().await {
            Ok(body) => (body.to_bytes(), None),
            Err(_) => {
                drop(state.log.open(head, state.now(), Bytes::new()));
                return Err(Cut);
            }
        },
    };
    let ticket = state.log.open(head, state.now(), body.clone());
    answer(&state, ticket, &body, rest, line).await
}

/// The answer of a request that the log knows.
async fn answer(
    state: &State,
    ticket: Ticket,
    body: &Bytes,
    rest: Option<Incoming>,
    line: Arc<Line>,
) -> Result<Response<Body>, Cut> {
    let record = ticket.record();
    let path = decoded_path(record.head().uri);
    let call = Call::new(state, record.head(), &path, body);
    let (rule, misread) = match own_rule(&call) {
        Ok(Some(rule)) => (Some(Arc::new(rule)), None),
        Ok(None) => (state.rule(call.traits()), None),
        Err(text) => (None, Some(scripted(400, Some(&text.into())))),
    };
    let rule = rule.as_deref();
    let replaced = misread.or_else(|| rule.and_then(|rule| replacement(&call, rule)));
    let mut reply = match (replaced, rest) {
        (Some(reply), rest) => {
            if let Some(rest) = rest {
                upload::drain(rest, &ticket).await?;
            }
            reply
        }
        (None, Some(rest)) => upload::receive(&call, rest, &ticket).await?,
        (None, None) => native(&call, rule),
    };
    if let Some(rule) = rule {
        befall(&mut reply, rule, &ticket, &line).await?;
    }
    ticket.status(reply.status.as_u16());
    let (status, headers) = (reply.status, std::mem::take(&mut reply.headers));
    let sending = sending(reply, rule, &call.place());
    let transmission = Transmission::new(sending, ticket, line);
    let mut response = Response::new(Either::Right(transmission));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The fake's own answer.
fn native(call: &Call<'_>, rule: Option<&Rule>) -> Reply {
    let answer = match &call.route {
        None => Err(not_found(call)),
        Some(Route::Model { model, method }) => generate::answer(call, model, method, rule),
        Some(Route::ListModels) => models::list(call),
        Some(Route::ReadModel(name)) => models::read(call, name),
        Some(Route::StartUpload) => upload::start(call),
        Some(Route::ContinueUpload(_)) => Err(not_found(call)),
        Some(Route::ListFiles) => files::list(call),
        Some(Route::ReadFile(name)) => files::read(call, name),
        Some(Route::DeleteFile(name)) => files::delete(call, name),
        Some(Route::DownloadFile(name)) => files::download(call, name),
        Some(Route::CreateCache) => caches::create(call),
        Some(Route::ListCaches) => caches::list(call),
        Some(Route::ReadCache(name)) => caches::read(call, name),
        Some(Route::DeleteCache(name)) => caches::delete(call, name),
    };
    answer.unwrap_or_else(|error| Reply::error(&error, call.form()))
}

/// The page of Google's front end for paths that it does not know.
fn not_found(call: &Call<'_>) -> crate::google::ApiError {
    let path = call.path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("The requested URL <code>{path}</code> was not found on this server.");
    crate::google::ApiError::plain(404, "", text)
}

/// The rule that a request brings along in `x-mock-rule`.
fn own_rule(call: &Call<'_>) -> Result<Option<Rule>, String> {
    let text = call.header("x-mock-rule");
    let rule = text.map(serde_json::from_str).transpose();
    rule.map_err(|error| format!("the header x-mock-rule cannot be read: {error}"))
}

/// What a rule answers in the fake's stead.
fn replacement(call: &Call<'_>, rule: &Rule) -> Option<Reply> {
    if let Some(error) = rule.error {
        return Some(Reply::error(&ErrorName::at(error, &call.place()), call.form()));
    }
    if let Some(id) = &rule.case {
        return Some(call.state.case(id).map_or_else(
            || scripted(501, Some(&format!("no case named {id} is loaded").into())),
            |case| case.response.reply(),
        ));
    }
    if !rule.pieces.is_empty() {
        let pieces = rule.pieces.iter().map(|piece| piece.clone().into()).collect();
        let status = StatusCode::from_u16(rule.status.unwrap_or(200));
        let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
        return Some(Reply { status, ..Reply::stream(Form::Sse, pieces) });
    }
    (rule.status.is_some() || rule.body.is_some())
        .then(|| scripted(rule.status.unwrap_or(200), rule.body.as_ref()))
}

fn scripted(status: u16, body: Option<&Value>) -> Reply {
    let bytes = match body {
        Some(Value::String(text)) => text.clone().into(),
        Some(value) => pretty(value),
        None => Bytes::new(),
    };
    Reply::new(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), JSON, bytes)
}

/// The faults before and in the head.
async fn befall(reply: &mut Reply, rule: &Rule, ticket: &Ticket, line: &Line) -> Result<(), Cut> {
    for (name, value) in &rule.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        reply.headers.remove(&name);
        for value in value.lines().filter_map(|line| HeaderValue::from_str(line).ok()) {
            reply.headers.append(&name, value);
        }
    }
    if let Some(claimed) = rule.content_length {
        reply.headers.insert(CONTENT_LENGTH, claimed.into());
    }
    if rule.gzip {
        reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(millis) = rule.delay_ms {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    if rule.reset && rule.cut.is_none() {
        line.reset();
        ticket.end(Ending::Cut);
        return Err(Cut);
    }
    Ok(())
}

impl Call<'_> {
    /// The form that an answer to this call has.
    fn form(&self) -> Form {
        match &self.route {
            Some(Route::Model { method: "streamGenerateContent", .. }) if self.wants_events() => {
                Form::Sse
            }
            Some(Route::Model { method: "streamGenerateContent", .. }) => Form::Array,
            _ => Form::Whole,
        }
    }

    fn place(&self) -> Place<'_> {
        let key = self.key().unwrap_or_default();
        match &self.route {
            Some(Route::Model { model, method }) => {
                Place { key, name: model, method, ..Place::default() }
            }
            Some(
                Route::ReadModel(name)
                | Route::ReadFile(name)
                | Route::DeleteFile(name)
                | Route::DownloadFile(name)
                | Route::ReadCache(name)
                | Route::DeleteCache(name),
            ) => Place { key, name, ..Place::default() },
            _ => Place { key, ..Place::default() },
        }
    }
}
