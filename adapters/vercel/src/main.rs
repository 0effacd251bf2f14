//! Gemini Balance on Vercel.
//!
//! Invariant: an invocation stays open until the reply's body has ended and the work behind it is
//! done; the platform lets nothing run after it.

mod guarded;

use std::{sync::Arc, time::Duration};

use balance_core::place::Place;
use balance_tokio::{Guest, until};
use guarded::Guarded;
use http::Response;
use mimalloc::MiMalloc;
use tokio::time::Instant;
use vercel_runtime::{AppState, Error, Request, ResponseBody, service_fn};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `maxDuration` in vercel.json, after which the platform ends a request.
const LONGEST: Duration = Duration::from_secs(300);
/// The time to tell a caller of it: once before an answer has begun, and once more in the middle of
/// one.
const FAREWELL: Duration = Duration::from_secs(1);

const VERCEL: Place = Place {
    settings: "in the environment variables of the project on Vercel, and deploy it again",
    defaults: &[("QUEUE_SECONDS", "10")],
    longest_wait: Some(LONGEST.saturating_sub(FAREWELL.saturating_mul(2))),
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let guest = Arc::new(Guest::of(&VERCEL));
    vercel_runtime::run(service_fn(move |request: Request, state: AppState| {
        answer(Arc::clone(&guest), request, state)
    }))
    .await
}

async fn answer(
    guest: Arc<Guest>,
    request: Request,
    state: AppState,
) -> Result<Response<ResponseBody>, Error> {
    let end = Instant::now() + LONGEST.saturating_sub(FAREWELL);
    let (response, work) = until(end, guest.answer(request)).await;
    if let Some(work) = work {
        state.wait_until(until(end, work));
    }
    let (head, body) = response.into_parts();
    let (body, ended) = Guarded::new(body);
    state.wait_until(ended);
    Ok(Response::from_parts(head, body.boxed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_gives_a_request_as_long_as_is_said_here() {
        let project = include_str!("../../../vercel.json");
        let project: serde_json::Value = serde_json::from_str(project).unwrap();
        let functions = &project["builds"][0]["config"]["functions"];
        let function = &functions["adapters/vercel/src/main.rs"];
        assert_eq!(function["maxDuration"], LONGEST.as_secs());
    }
}
