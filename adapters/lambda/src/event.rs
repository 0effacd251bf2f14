//! What the services before a function make of a request, made a request again.
//!
//! Invariant: method, path, query, headers and body are the caller's, however the service wrote
//! them: names and values that it decoded are encoded again, and a stage is taken off the path.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::Full;
use lambda_runtime::Error;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What cannot stand in a path (RFC 3986 §3.3); what is encoded already stays as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// What is encoded in a name or value of a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An event, of whichever service: the fields of one that are absent in another are `None`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Event {
    /// Function URLs and HTTP APIs (payload format 2.0),
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    cookies: Option<Vec<String>>,
    /// REST APIs (1.0), load balancers and Netlify.
    path: Option<String>,
    http_method: Option<String>,
    query_string_parameters: Option<Map<String, Value>>,
    multi_value_query_string_parameters: Option<Map<String, Value>>,
    multi_value_headers: Option<HashMap<String, Vec<String>>>,
    /// Netlify.
    raw_query: Option<String>,
    /// All.
    headers: Option<HashMap<String, String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: Option<Context>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context {
    http: Option<Http>,
    elb: Option<Value>,
    stage: Option<String>,
    /// With the stage, in events of REST APIs.
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Http {
    method: Option<String>,
}

/// The form that the service wants the answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Cookies apart, one value for each other header.
    Version2,
    /// All values of each header.
    Version1,
    /// The same, from a load balancer.
    LoadBalancer,
    /// One value for each header, from a load balancer that is not told otherwise.
    PlainLoadBalancer,
}

impl Event {
    pub(crate) fn form(&self) -> Form {
        let context = self.request_context.as_ref();
        if self.raw_path.is_some() {
            Form::Version2
        } else if context.is_none_or(|context| context.elb.is_none()) {
            Form::Version1
        } else if self.multi_value_headers.is_some() {
            Form::LoadBalancer
        } else {
            Form::PlainLoadBalancer
        }
    }

    /// The caller's request.
    ///
    /// # Errors
    /// The event is none of HTTP.
    pub(crate) fn into_request(mut self) -> Result<Request<Full<Bytes>>, Error> {
        let context = self.request_context.take().unwrap_or_default();
        let method = context.http.as_ref().and_then(|http| http.method.clone());
        let method = method.or_else(|| self.http_method.take());
        let method = method.ok_or(
            "the event has no HTTP method; it must come from a function URL, API Gateway, a load \
             balancer or Netlify",
        )?;
        let (prefix, path) = self.way(&context);
        let uri = match self.query(&context) {
            query if query.is_empty() => utf8_percent_encode(&path, PATH).to_string(),
            query => format!("{}?{query}", utf8_percent_encode(&path, PATH)),
        };
        let mut request = Request::builder().method(method.as_str()).uri(uri);
        if let Some(headers) = request.headers_mut() {
            self.put_headers(headers);
            if let Ok(prefix) = HeaderValue::try_from(prefix)
                && !prefix.is_empty()
            {
                headers.insert("x-forwarded-prefix", prefix);
            }
        }
        let body = self.body.unwrap_or_default();
        let body = match self.is_base64_encoded {
            Some(true) => STANDARD.decode(body)?.into(),
            Some(false) | None => Bytes::from(body),
        };
        Ok(request.body(Full::new(body))?)
    }

    /// What stands before the path where callers see it, and the path.
    fn way(&mut self, context: &Context) -> (String, String) {
        if let Some(path) = self.raw_path.take() {
            let stage = context.stage.as_deref().filter(|stage| *stage != "$default");
            let prefix = stage.map(|stage| format!("/{stage}")).unwrap_or_default();
            let rest = path.strip_prefix(&prefix).filter(|rest| rest.starts_with('/'));
            return match rest.map(ToOwned::to_owned) {
                Some(rest) => (prefix, rest),
                None => (String::new(), path),
            };
        }
        let path = self.path.take().unwrap_or_else(|| "/".into());
        let stage = context.stage.as_deref().map(|stage| format!("/{stage}"));
        let is_shown = |stage: &String| {
            context.path.as_ref().is_some_and(|shown| shown.starts_with(stage.as_str()))
                && !path.starts_with(stage.as_str())
        };
        (stage.filter(is_shown).unwrap_or_default(), path)
    }

    /// The query, encoded.
    fn query(&mut self, context: &Context) -> String {
        let raw = self.raw_query_string.take().or_else(|| self.raw_query.take());
        if let Some(raw) = raw {
            return raw;
        }
        // Load balancers pass on what they were sent, API Gateway has decoded it.
        let is_encoded = context.elb.is_some();
        let all = self.multi_value_query_string_parameters.take();
        let mut pairs = Vec::new();
        for (name, values) in
            all.or_else(|| self.query_string_parameters.take()).unwrap_or_default()
        {
            let values = if let Value::Array(values) = values { values } else { vec![values] };
            for value in values.iter().filter_map(Value::as_str) {
                pairs.push(match is_encoded {
                    true if value.is_empty() => name.clone(),
                    true => format!("{name}={value}"),
                    false => [name.as_str(), value]
                        .map(|text| utf8_percent_encode(text, QUERY).to_string())
                        .join("="),
                });
            }
        }
        pairs.join("&")
    }

    fn put_headers(&mut self, headers: &mut HeaderMap) {
        let mut put = |name: &str, value: &str| {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
            {
                headers.append(name, value);
            }
        };
        match self.multi_value_headers.take() {
            Some(all) => {
                let each =
                    all.iter().flat_map(|(name, values)| values.iter().map(move |v| (name, v)));
                each.for_each(|(name, value)| put(name, value));
            }
            None => self.headers.iter().flatten().for_each(|(name, value)| put(name, value)),
        }
        let cookies = self.cookies.take().unwrap_or_default();
        if !cookies.is_empty() {
            put(header::COOKIE.as_str(), &cookies.join("; "));
        }
    }
}

#[cfg(test)]
mod tests;
