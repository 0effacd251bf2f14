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

/// Why a picture was not put on the web, as a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPut(pub(crate) &'static str);

/// The answer, with addresses in place of its pictures if all of them could be put on the web; else
/// as it was, and why.
pub(crate) async fn put<H: Host>(
    host: &H,
    provider: &Provider<'_>,
    answer: Bytes,
) -> (Bytes, Option<NotPut>) {
    let drawn = hosted::pictures(&answer);
    if drawn.is_empty() {
        return (answer, None);
    }
    let puts = drawn.iter().map(|picture| put_one(host, provider, picture));
    let addresses: Result<Vec<_>, _> = join_all(puts).await.into_iter().collect();
    match addresses {
        Ok(addresses) => {
            let pairs = drawn.iter().zip(&addresses);
            let pairs = pairs.map(|(drawn, url)| (drawn, url.as_str()));
            (hosted::with_addresses(&answer, pairs).into(), None)
        }
        Err(why) => (answer, Some(why)),
    }
}

async fn put_one<H: Host>(
    host: &H,
    provider: &Provider<'_>,
    picture: &Drawn,
) -> Result<String, NotPut> {
    let request = provider.request(picture, host.now(), host.next_u64());
    let request = request.ok_or(NotPut("not_askable"))?;
    let sent_to = request.uri().clone();
    let asked = pin!(ask(host, request));
    match select(asked, pin!(host.sleep(PATIENCE))).await {
        Either::Left((said, _)) => provider.address(&sent_to, &said?).ok_or(NotPut("no_address")),
        Either::Right(_) => Err(NotPut("timeout")),
    }
}

/// What the provider says, if it is content.
async fn ask<H: Host>(host: &H, request: Request<Bytes>) -> Result<Bytes, NotPut> {
    let response = host.visit(request, Reach::Anywhere).await;
    let response = response.map_err(|_| NotPut("unreachable"))?;
    if !matches!(response.status(), StatusCode::OK | StatusCode::CREATED) {
        return Err(NotPut("refused"));
    }
    let said = Limited::new(response.into_body(), MOST_ANSWER_BYTES).collect().await;
    said.map(|said| said.to_bytes()).map_err(|_| NotPut("broken_off"))
}
