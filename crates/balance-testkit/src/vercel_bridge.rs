//! A small Vercel: what stands between callers and a function there, and the messages that the
//! function sends it over a unix socket.
//!
//! Invariant: once a function says that a request is over, nothing of it runs any more here either:
//! what its answer has not sent by then is lost.

use std::{
    collections::HashSet,
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpStream, UnixListener},
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    answer_stream::{Answered, Stream, says},
    server::{Folder, Server, free_address},
    serving,
};

/// Bytes that were sent before the end of a request may take so long to arrive.
const IN_FLIGHT: Duration = Duration::from_millis(100);
/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a request; [answers that stream have no such limit][limits].
///
/// [limits]: https://vercel.com/docs/functions/limitations#request-body-size
const LARGEST: usize = 4_500_000;

/// A running function, and what stands before it.
#[derive(Debug)]
pub struct Bridge {
    front: SocketAddr,
    state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
    /// Ends with the bridge: nothing else holds it for long.
    _function: Arc<Server>,
    _folder: Folder,
}

#[derive(Debug)]
struct State {
    function: Weak<Server>,
    /// Where the function listens.
    address: SocketAddr,
    requests: AtomicU64,
    is_started: Mutex<bool>,
    /// Requests that the function said are over.
    over: Mutex<HashSet<u64>>,
    /// Something was said.
    said: Notify,
}

impl Bridge {
    /// Starts `command` as a function inside the running tokio runtime. Requests wait until it says
    /// that it has started.
    ///
    /// # Errors
    /// What cannot be started.
    pub fn start(mut command: Command) -> Result<Self, String> {
        let told = |error: std::io::Error| error.to_string();
        let folder = Folder::new()?;
        let socket = folder.path().join("ipc.sock");
        let messages = UnixListener::bind(&socket).map_err(told)?;
        let address = free_address()?;
        command.env("VERCEL_IPC_PATH", &socket).env("VERCEL_DEV_PORT", address.port().to_string());
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(told)?;
        listener.set_nonblocking(true).map_err(told)?;
        let front = listener.local_addr().map_err(told)?;
        let function = Arc::new(Server::attend(command)?);
        let state = Arc::new(State {
            function: Arc::downgrade(&function),
            address,
            requests: AtomicU64::new(0),
            is_started: Mutex::new(false),
            over: Mutex::default(),
            said: Notify::new(),
        });
        let tasks = vec![
            tokio::spawn(listen(messages, Arc::clone(&state))),
            tokio::spawn(serving::serve(listener, Arc::clone(&state), answer)),
        ];
        Ok(Self { front, state, tasks, _function: function, _folder: folder })
    }

    /// Where callers ask.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.front
    }

    /// How many requests the function has said are over.
    #[must_use]
    pub fn over(&self) -> usize {
        lock(&self.state.over).len()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Reads what the function says: JSON, with a NUL behind each message.
async fn listen(messages: UnixListener, state: Arc<State>) {
    let Ok((stream, _)) = messages.accept().await else { return };
    let mut reader = BufReader::new(stream);
    let mut message = Vec::new();
    while reader.read_until(0, &mut message).await.is_ok_and(|bytes| bytes > 0) {
        message.pop();
        let said: Value = serde_json::from_slice(&message).unwrap_or_default();
        message.clear();
        match said.get("type").and_then(Value::as_str) {
            Some("server-started") => *lock(&state.is_started) = true,
            Some("end") => {
                let number = said.pointer("/payload/context/requestId").and_then(Value::as_u64);
                lock(&state.over).extend(number);
            }
            Some(_) | None => {}
        }
        state.said.notify_waiters();
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answered {
    if timeout(PATIENCE, state.until(|state| *lock(&state.is_started))).await.is_err() {
        return says(StatusCode::BAD_GATEWAY, &state.has_not_started());
    }
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return says(StatusCode::BAD_REQUEST, "BAD_REQUEST");
    };
    let body = body.to_bytes();
    if body.len() > LARGEST {
        return says(StatusCode::PAYLOAD_TOO_LARGE, "FUNCTION_PAYLOAD_TOO_LARGE");
    }
    let number = state.requests.fetch_add(1, Ordering::Relaxed) + 1;
    match ask(&state, Request::from_parts(head, Full::new(body)), number).await {
        Ok(answer) => {
            let (head, body) = answer.into_parts();
            let (sender, stream) = Stream::new();
            tokio::spawn(pass(state, number, body, sender));
            Response::from_parts(head, stream)
        }
        Err(why) => says(StatusCode::BAD_GATEWAY, &why),
    }
}

/// Asks the function; the connection ends with the answer.
async fn ask(
    state: &State,
    mut request: Request<Full<Bytes>>,
    number: u64,
) -> Result<Response<Incoming>, String> {
    for (name, value) in [
        ("x-vercel-internal-invocation-id", format!("i-{number}")),
        ("x-vercel-internal-request-id", number.to_string()),
    ] {
        let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
        request.headers_mut().insert(name, value);
    }
    let stream = TcpStream::connect(state.address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| error.to_string())
}

/// Passes a body on, until it ends, its caller leaves, or the function says that all is over.
async fn pass(
    state: Arc<State>,
    number: u64,
    mut body: Incoming,
    pieces: tokio::sync::mpsc::UnboundedSender<Bytes>,
) {
    let frozen = async {
        state.until(|state| lock(&state.over).contains(&number)).await;
        sleep(IN_FLIGHT).await;
    };
    let mut frozen = std::pin::pin!(frozen);
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = pieces.closed() => return,
            () = &mut frozen => return,
        };
        let Some(Ok(frame)) = frame else { return };
        if frame.into_data().is_ok_and(|data| pieces.send(data).is_err()) {
            return;
        }
    }
}

impl State {
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let said = self.said.notified();
            let mut said = std::pin::pin!(said);
            said.as_mut().enable();
            if is_so(self) {
                return;
            }
            said.await;
        }
    }

    fn has_not_started(&self) -> String {
        let written = self.function.upgrade().map(|function| function.written());
        let written = written.unwrap_or_default();
        format!("FUNCTION_INVOCATION_FAILED: no start was told in {PATIENCE:?}; written: {written}")
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
