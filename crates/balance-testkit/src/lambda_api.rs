//! A small AWS Lambda: a front that turns HTTP into events, as each of the services before a function
//! does, and the Runtime API that the function asks for them.
//!
//! Invariant: a function meets the platform's own rules here: one event at a time, its deadline, the
//! limits of sizes, and no word of callers that have left.

mod event;
mod front;
mod runtime;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

pub use event::Before;

use crate::answer_stream::Answered;

/// The time that a function is given for each event, unless a test says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running fake; it ends when this is dropped.
#[derive(Debug)]
pub struct LambdaApi {
    front: SocketAddr,
    api: SocketAddr,
    servers: Vec<JoinHandle<()>>,
}

/// What stands before the function, and how it is configured.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The service that makes the events.
    pub before: Before,
    /// Whether answers are streamed.
    pub streams: bool,
    /// The time that the function is given for each event.
    pub time: Duration,
}

/// An event on its way to the function.
#[derive(Debug)]
struct Invocation {
    event: String,
    /// Who waits for its answer.
    reply: oneshot::Sender<Answered>,
}

/// What front and Runtime API share.
#[derive(Debug)]
struct State {
    function: Function,
    queue: mpsc::Sender<Invocation>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    /// The event that the function has, by its number.
    current: Mutex<(u64, Option<oneshot::Sender<Answered>>)>,
}

impl LambdaApi {
    /// Starts it inside the running tokio runtime, on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// There are none.
    pub fn start(function: Function) -> Result<Self, String> {
        let (queue, waiting) = mpsc::channel(64);
        let waiting = tokio::sync::Mutex::new(waiting);
        let state = State { function, queue, waiting, current: Mutex::default() };
        let state = Arc::new(state);
        let (front, front_listener) = listen()?;
        let (api, api_listener) = listen()?;
        let servers = vec![
            tokio::spawn(crate::serving::serve(front_listener, Arc::clone(&state), front::answer)),
            tokio::spawn(crate::serving::serve(api_listener, state, runtime::answer)),
        ];
        Ok(Self { front, api, servers })
    }

    /// Where callers ask.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.front
    }

    /// What Lambda puts into the function's environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_LAMBDA_RUNTIME_API", self.api.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "gemini-balance"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/gemini-balance"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

impl Drop for LambdaApi {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl State {
    /// Takes up an event: its number, by which it is answered.
    fn take_up(&self, reply: oneshot::Sender<Answered>) -> u64 {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.0 += 1;
        current.1 = Some(reply);
        current.0
    }

    /// Answers the event of this number, if it is still the one that the function has.
    fn answer(&self, number: &str, answered: Answered) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0.to_string() == number
            && let Some(reply) = current.1.take()
        {
            // Whoever asked may be gone; the platform does not tell the function.
            let _gone = reply.send(answered);
        }
    }
}

fn listen() -> Result<(SocketAddr, TcpListener), String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((address, listener))
}
