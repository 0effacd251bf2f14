//! Gemini Balance as an AWS Lambda function, behind a function URL, API Gateway or a load balancer,
//! and as a Netlify Function.
//!
//! Invariant: an invocation ends only when the work behind its answer is done, since the platform
//! lets nothing run after it; and before the platform would end it.

mod answer;
mod event;

use std::{
    env,
    process::ExitCode,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use answer::Answer;
use balance_core::{
    place::Place,
    settings::{Settings, Strings},
};
use balance_tokio::{Guest, until};
use bytes::Bytes;
use event::Event;
use http_body_util::Full;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use mimalloc::MiMalloc;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The time to tell a caller that the platform's time is over: once before an answer has begun, and
/// once more in the middle of one.
const FAREWELL: Duration = Duration::from_millis(500);

/// The longest that Lambda lets a function run.
const LONGEST: Duration = Duration::from_secs(900);

/// What serves all invocations of this instance, one after the other.
static FUNCTION: OnceLock<Function> = OnceLock::new();

struct Function {
    guest: Guest<Full<Bytes>>,
    streams: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!(
            "bootstrap: AWS Lambda runs this program, which sets AWS_LAMBDA_RUNTIME_API. To run a \
             server of your own, take the program gemini-balance."
        );
        return ExitCode::from(2);
    }
    match Box::pin(Runtime::new(service_fn(invoke)).run()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bootstrap: the Lambda Runtime API fails: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers one event.
async fn invoke(LambdaEvent { payload, context }: LambdaEvent<Event>) -> Result<Answer, Error> {
    // The emulator of `cargo lambda` tells a deadline that has long been over.
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or(LONGEST);
    let function = FUNCTION.get_or_init(|| Function::within(left));
    let end = Instant::now() + left.saturating_sub(FAREWELL);
    let form = payload.form();
    let request = payload.into_request()?;
    let uri = request.uri().clone();
    let (response, work) = until(end, function.guest.answer(request)).await;
    let work = tokio::spawn(until(end, async move {
        if let Some(work) = work {
            work.await;
        }
    }));
    if function.streams {
        return Ok(answer::streamed(response, work));
    }
    answer::buffered(form, response, &uri, work).await
}

impl Function {
    /// By the settings in the environment. The first invocation tells how much time each has.
    fn within(time: Duration) -> Self {
        let place = Place {
            settings: "in the environment variables of the function",
            // An invocation that waits is paid for.
            defaults: &[("QUEUE_SECONDS", "0")],
            longest_wait: Some(time.saturating_sub(2 * FAREWELL)),
        };
        Self { guest: Guest::of(&place), streams: streams(&|name: &str| env::var(name).ok()) }
    }
}

/// Whether answers are streamed, which must be known even where other settings are wrong.
fn streams(source: &dyn Strings) -> bool {
    let alone = |name: &str| (name == "LAMBDA_STREAM").then(|| source.value(name)).flatten();
    Settings::read(&alone).is_ok_and(|settings| settings.lambda_stream.0)
}
