//! Closed-loop load: every connection sends its next request when the last answer has ended.
//!
//! Invariant: the clock starts when all connections are open and warm, and one answer that is not
//! as expected ends the load with an error.

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::{JoinSet, LocalSet};

use crate::client::{Answer, Connection, ExchangeError};

/// One load on one server.
#[derive(Debug, Clone)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// The request, whole, as it goes over the wire.
    pub request: Bytes,
    /// Bytes that the body of every answer must have.
    pub body_bytes: u64,
    /// How many connections are kept busy.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
}

/// What a load measured.
#[derive(Debug, Default)]
pub struct Sample {
    /// Until the first byte of the body, one for each request.
    pub first: Vec<Duration>,
    /// Until the last byte of the body, one for each request.
    pub whole: Vec<Duration>,
    /// How long it really took.
    pub elapsed: Duration,
}

/// Why a load stopped early.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An exchange failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// An answer was not what is being measured.
    #[error("an answer had status {status} and {body_bytes} bytes instead of 200 and {expected}")]
    Unexpected {
        /// The status that came.
        status: u16,
        /// The bytes that came.
        body_bytes: u64,
        /// The bytes that should have come.
        expected: u64,
    },
    /// A task of the load generator itself ended early.
    #[error("the load generator failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Load {
    /// Puts the load on; `started` is called when all connections are warm and `ended` right after
    /// the last answer, so that the caller can read the server's clocks at both moments.
    ///
    /// # Errors
    /// At the first answer that is not as expected.
    pub async fn run(
        &self,
        started: impl FnOnce(),
        ended: impl FnOnce(),
    ) -> Result<Sample, LoadError> {
        let mut warm = Vec::new();
        for _ in 0..self.connections {
            let mut connection = Connection::open(self.address).await?;
            self.exchange(&mut connection).await?;
            warm.push(connection);
        }
        let load = Rc::new(self.clone());
        let local = LocalSet::new();
        let mut tasks = JoinSet::new();
        started();
        let start = Instant::now();
        for connection in warm {
            tasks.spawn_local_on(
                Rc::clone(&load).keep_busy(connection, start + self.duration),
                &local,
            );
        }
        let mut sample = Sample::default();
        let collected = local
            .run_until(async {
                while let Some(part) = tasks.join_next().await {
                    let part = part??;
                    sample.first.extend(part.first);
                    sample.whole.extend(part.whole);
                }
                Ok(())
            })
            .await;
        sample.elapsed = start.elapsed();
        ended();
        collected.map(|()| sample)
    }

    async fn keep_busy(
        self: Rc<Self>,
        mut connection: Connection,
        end: Instant,
    ) -> Result<Sample, LoadError> {
        let mut sample = Sample::default();
        while Instant::now() < end {
            let answer = self.exchange(&mut connection).await?;
            sample.first.push(answer.first);
            sample.whole.push(answer.whole);
        }
        Ok(sample)
    }

    async fn exchange(&self, connection: &mut Connection) -> Result<Answer, LoadError> {
        let answer = connection.exchange(&self.request, |_| {}).await?;
        let Answer { status, body_bytes, .. } = answer;
        if status == 200 && body_bytes == self.body_bytes {
            return Ok(answer);
        }
        Err(LoadError::Unexpected { status, body_bytes, expected: self.body_bytes })
    }
}

#[cfg(test)]
mod tests;
