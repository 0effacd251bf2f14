//! The gateway's reply in the form that the service before the function wants.
//!
//! Invariant: no answer ends before the work behind it; and one that is too large for the platform
//! is said to be, where the platform would only say that something went wrong.

use std::pin::Pin;

use balance_core::{body::Body, error::Error as Refusal, reply::Reply};
use balance_tokio::Outgoing;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, future, stream};
use http::{HeaderMap, Response, Uri, header, response};
use http_body_util::{BodyExt, BodyStream, Full};
use lambda_runtime::{Error, FunctionResponse, MetadataPrelude, StreamResponse};
use serde_json::{Map, Value, json, value::RawValue};
use tokio::task::JoinHandle;

use crate::event::Form;

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// An answer to an event.
pub(crate) type Answer = FunctionResponse<Box<RawValue>, Pieces>;

/// Streams a reply; its end waits for the work behind it.
pub(crate) fn streamed(response: Response<Outgoing<Full<Bytes>>>, work: JoinHandle<()>) -> Answer {
    let (mut head, body) = response.into_parts();
    let cookies = cookies(&mut head.headers);
    let metadata_prelude =
        MetadataPrelude { status_code: head.status, headers: head.headers, cookies };
    let pieces = BodyStream::new(body);
    let pieces = pieces.try_filter_map(|frame| future::ready(Ok(frame.into_data().ok())));
    let end = stream::once(work).filter_map(|_done| future::ready(None));
    FunctionResponse::StreamingResponse(StreamResponse {
        metadata_prelude,
        stream: Box::pin(pieces.chain(end)),
    })
}

/// Gives a reply as a whole.
///
/// # Errors
/// It broke, and could not be ended otherwise.
pub(crate) async fn buffered(
    form: Form,
    response: Response<Outgoing<Full<Bytes>>>,
    uri: &Uri,
    work: JoinHandle<()>,
) -> Result<Answer, Error> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    // What it learned is in the pool now; what went wrong in it is in the log.
    let _done = work.await;
    let whole = write(form, head, &body)?;
    let limit = form.limit();
    if whole.get().len() <= limit {
        return Ok(FunctionResponse::BufferedResponse(whole));
    }
    let refusal = Refusal::AnswerTooLarge { limit: limit as u64 };
    let (head, body) = Reply::<()>::refusal(&refusal, uri, 0).response.into_parts();
    let body = if let Body::Full(body) = body { body } else { Bytes::new() };
    Ok(FunctionResponse::BufferedResponse(write(form, head, &body)?))
}

impl Form {
    /// How many bytes the platform takes, the head included.
    const fn limit(self) -> usize {
        match self {
            Self::LoadBalancer | Self::PlainLoadBalancer => 1_000_000,
            Self::Version1 | Self::Version2 => 6_291_456,
        }
    }
}

fn write(form: Form, mut head: response::Parts, body: &[u8]) -> Result<Box<RawValue>, Error> {
    let mut answer = Map::new();
    answer.insert("statusCode".into(), head.status.as_u16().into());
    match form {
        Form::Version2 => {
            answer.insert("cookies".into(), json!(cookies(&mut head.headers)));
            answer.insert("headers".into(), one_of_each(&head.headers).into());
        }
        Form::PlainLoadBalancer => {
            answer.insert("headers".into(), one_of_each(&head.headers).into());
        }
        Form::Version1 | Form::LoadBalancer => {
            answer.insert("multiValueHeaders".into(), all_of_each(&head.headers).into());
        }
    }
    if let (Form::LoadBalancer | Form::PlainLoadBalancer, Some(reason)) =
        (form, head.status.canonical_reason())
    {
        answer.insert(
            "statusDescription".into(),
            format!("{} {reason}", head.status.as_u16()).into(),
        );
    }
    let text = str::from_utf8(body).ok();
    answer.insert("isBase64Encoded".into(), text.is_none().into());
    answer.insert("body".into(), text.map_or_else(|| STANDARD.encode(body), Into::into).into());
    Ok(serde_json::value::to_raw_value(&answer)?)
}

/// Takes the cookies out, which must not be joined.
fn cookies(headers: &mut HeaderMap) -> Vec<String> {
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let cookies = cookies.map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect();
    headers.remove(header::SET_COOKIE);
    cookies
}

fn all_of_each(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        all.insert(name.as_str().into(), json!(values));
    }
    all
}

/// Several values of one name are joined, as RFC 9110 §5.3 allows.
fn one_of_each(headers: &HeaderMap) -> Map<String, Value> {
    let all = all_of_each(headers).into_iter();
    let joined = |values: Value| {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.collect::<Vec<_>>().join(", ")
    };
    all.map(|(name, values)| (name, joined(values).into())).collect()
}
