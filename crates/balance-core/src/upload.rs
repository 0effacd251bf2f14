//! Puts the pictures of an answer on the web, with the provider that the operator has chosen.
//!
//! Invariant: an answer is given with its pictures inside when they cannot be put anywhere; the
//! provider's trouble is never the caller's.

mod oss;
mod provider;

use std::{pin::pin, time::Duration};

use balance_dialect::translate::hosted::{self, Drawn};
use bytes::Bytes;
use futures_util::future::{Either, join_all, select};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};

pub(crate) use self::provider::Provider;
use crate::{host::Host, reach::Reach};

/// How long a provider may take for one picture.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that a provider has to say.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// The answer, with addresses in place of its pictures if all of them could be put on the web.
pub(crate) async fn put<H: Host>(host: &H, provider: &Provider<'_>, answer: Bytes) -> Bytes {
    let drawn = hosted::pictures(&answer);
    let puts = drawn.iter().map(|picture| put_one(host, provider, picture));
    let addresses: Option<Vec<_>> = join_all(puts).await.into_iter().collect();
    match addresses {
        Some(addresses) if !drawn.is_empty() => {
            let pairs = drawn.iter().zip(&addresses);
            hosted::with_addresses(&answer, pairs.map(|(drawn, url)| (drawn, url.as_str()))).into()
        }
        Some(_) | None => answer,
    }
}

async fn put_one<H: Host>(host: &H, provider: &Provider<'_>, picture: &Drawn) -> Option<String> {
    let request = provider.request(picture, host.now(), host.next_u64())?;
    let sent_to = request.uri().clone();
    let asked = pin!(ask(host, request));
    match select(asked, pin!(host.sleep(PATIENCE))).await {
        Either::Left((said, _)) => provider.address(&sent_to, &said?),
        Either::Right(_) => None,
    }
}

/// What the provider says, if it is content.
async fn ask<H: Host>(host: &H, request: Request<Bytes>) -> Option<Bytes> {
    let response = host.visit(request, Reach::Anywhere).await.ok()?;
    let is_taken = matches!(response.status(), StatusCode::OK | StatusCode::CREATED);
    let said = Limited::new(response.into_body(), MOST_ANSWER_BYTES).collect().await.ok()?;
    is_taken.then(|| said.to_bytes())
}
