//! `/verify`: which of the keys that a caller shows work.
//!
//! Invariant: one line per key, in the order in which they are checked through, with the key
//! masked; a check costs no quota, and no more than the set number run at the same time.

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::json;

use crate::{
    authorize::shown_keys,
    body::Body,
    fault::{Blame, Fault},
    feed::{Feeder, Left, Trough, feed},
    gateway::Gateway,
    host::Host,
    job::{Job, Outcome, Task},
    key::Key,
    reply::Draft,
};

/// Begins the check: the reply's lines come from its job.
pub(crate) fn begin<B>(headers: &HeaderMap, uri: &Uri) -> Draft<B> {
    let Some(keys) = shown_keys(headers, uri) else {
        // The words that clients of this route know.
        let body = json!({ "error": "Missing x-goog-api-key header." }).to_string();
        let mut reply = Draft::full("application/json", body);
        *reply.response.status_mut() = StatusCode::BAD_REQUEST;
        return reply;
    };
    let (feeder, feed) = feed();
    let mut reply = Draft::full("text/event-stream", Bytes::new());
    *reply.response.body_mut() = Body::Feed(feed);
    let fixed = HeaderValue::from_static("no-cache");
    reply.response.headers_mut().insert(header::CACHE_CONTROL, fixed);
    reply.job = Some(Job::of(Task::Verify { keys, feeder }));
    reply
}

/// Checks the keys, until all are through or the caller has left.
pub(crate) async fn run<H: Host>(
    gateway: &Gateway<H>,
    keys: Vec<Key>,
    Feeder { mut trough, mut reader }: Feeder,
) -> Outcome {
    let mut checked = 0;
    let checks = check_all(gateway, keys, &mut trough, &mut checked);
    if reader.unless_left(checks).await.is_ok() {
        drop(trough);
        reader.end(Ok(()));
    }
    Outcome::Verified { keys: checked }
}

async fn check_all<H: Host>(
    gateway: &Gateway<H>,
    keys: Vec<Key>,
    trough: &mut Trough,
    checked: &mut usize,
) -> Result<(), Left> {
    let most = gateway.settings.verify_concurrency.as_usize();
    let mut allowed = gateway.settings.calls_allowed();
    let mut waiting = keys.into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        // Owned items pushed one by one: a stream combinator over borrowed ones would not be `Send`
        // for every host (rust-lang/rust#102211).
        while running.len() < most {
            if allowed == 0 {
                break;
            }
            let Some(key) = waiting.next() else { break };
            allowed -= 1;
            running.push(check(gateway, key));
        }
        let Some(line) = running.next().await else { break };
        *checked += 1;
        trough.answer(line).await?;
    }
    for key in waiting {
        trough.answer(unchecked(&key)).await?;
    }
    Ok(())
}

/// Asks for the list of models, which is free, needs a working key, and tells what is wrong with
/// others as every route does.
async fn check<H: Host>(gateway: &Gateway<H>, key: Key) -> Bytes {
    line(&key, gateway.probe(&key).await.err().as_deref())
}

/// `{"key","status"}`, with `error` where there is one; then what no older checker tells: `code`.
fn line(key: &Key, fault: Option<&Fault>) -> Bytes {
    let masked = key.secret.masked().to_string();
    let line = match fault {
        None => json!({ "key": masked, "status": "GOOD" }),
        Some(fault) => json!({
            "key": masked,
            "status": status(fault.blame),
            "error": fault.message,
            "code": fault.code(),
        }),
    };
    Bytes::from(format!("data: {line}\n\n"))
}

/// The line of a key that nothing was asked about.
fn unchecked(key: &Key) -> Bytes {
    let line = json!({
        "key": key.secret.masked().to_string(),
        "status": "ERROR",
        "error": "Not checked: where this server runs, one request may make only so many calls. \
                  Check these keys with another one.",
        "code": "not_checked",
    });
    Bytes::from(format!("data: {line}\n\n"))
}

/// A key that only waits for its quota is good; one that nothing was learned about is neither good
/// nor bad.
const fn status(blame: Blame) -> &'static str {
    match blame {
        Blame::Key(_) | Blame::Project(_) => "BAD",
        Blame::Quota(_) | Blame::Capacity { .. } => "GOOD",
        Blame::Service { .. } | Blame::Egress | Blame::Request | Blame::Gateway => "ERROR",
    }
}
