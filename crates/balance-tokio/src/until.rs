//! An end that a platform puts to a request, whatever it is doing.
//!
//! Invariant: every answer that is fetched within [`until`] ends by then, with an error that says
//! so; what is around it then has the time to tell its caller.

use std::{fmt, future::Future};

use tokio::{task_local, time::Instant};

task_local! {
    static END: Instant;
}

/// Does `work`; answers of upstream that are fetched in it end at `end` at the latest.
pub async fn until<F: Future>(end: Instant, work: F) -> F::Output {
    END.scope(end, work).await
}

/// The end of what this task is doing, if there is one.
pub(crate) fn end() -> Option<Instant> {
    END.try_with(|end| *end).ok()
}

/// The platform is about to end the request.
#[derive(Debug, PartialEq, Eq)]
pub struct OutOfTime;

impl fmt::Display for OutOfTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the platform that this server runs on ends the request now")
    }
}

impl std::error::Error for OutOfTime {}
