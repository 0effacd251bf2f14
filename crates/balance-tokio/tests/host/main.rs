//! The host against real sockets on loopback: what reaches upstream, and what comes back.

#![cfg(test)]

mod answers;
mod connections;
mod proxies;
mod sending;
mod servers;
mod visits;

use std::collections::HashMap;

use balance_core::{
    host::{FetchError, Payload},
    settings::Settings,
};
use balance_tokio::{Answer, Body, TokioHost};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use rustls::ClientConfig;

/// Requests here are sent whole, so a caller's stream is never anything.
type Host = TokioHost<Empty<Bytes>>;

fn host(settings: &[(&str, &str)]) -> Host {
    TokioHost::new(&self::settings(settings)).unwrap()
}

/// A host that trusts the certificates of a test.
fn host_trusting(tls: &ClientConfig) -> Host {
    TokioHost::with_tls(&settings(&[]), tls).unwrap()
}

fn settings(settings: &[(&str, &str)]) -> Settings {
    let settings: HashMap<_, _> = settings.iter().copied().collect();
    Settings::read(&|name: &str| settings.get(name).map(|text| (*text).into())).unwrap()
}

fn post(url: &str) -> Request<Payload<Empty<Bytes>>> {
    Request::post(url).body(Payload::Full(Bytes::from_static(b"{}"))).unwrap()
}

async fn text<I>(answer: Result<Response<Body<Answer<I>>>, FetchError>) -> String
where
    Body<Answer<I>>: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let body = answer.unwrap().into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}
