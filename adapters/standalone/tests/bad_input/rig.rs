//! The program in front of the fake, and a socket to write anything to.

use std::{path::Path, time::Duration};

use balance_mock::{Mock, Setup, Strangers};
use balance_testkit::{
    scenario::{TOKEN, key},
    server::Server,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The limit of bodies here.
pub(crate) const MAX_BODY_BYTES: usize = 1000;

pub(crate) struct Rig {
    pub(crate) mock: Mock,
    pub(crate) server: Server,
}

/// One answer on a connection.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let setup = Setup { strangers: Strangers::Admit, ..Setup::empty() };
        let mock = Mock::start(setup).await.unwrap();
        let settings = [
            ("BASE_URL", mock.base_url().to_owned()),
            ("API_KEYS", key('a')),
            ("ACCESS_TOKENS", TOKEN.to_owned()),
            ("MAX_BODY_BYTES", MAX_BODY_BYTES.to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
        Self { mock, server: Server::start(program, &settings).unwrap() }
    }

    /// A connection that these bytes were written to.
    pub(crate) async fn open(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        // A server that has refused enough may close before all is written.
        let _refused = stream.write_all(bytes).await;
        stream
    }

    /// All answers to these bytes; the connection is read until the server closes it.
    pub(crate) async fn answers(&self, bytes: &[u8]) -> Vec<Answer> {
        let mut stream = self.open(bytes).await;
        let mut read = Vec::new();
        // A server that closes with bytes unread resets the connection: that ends it as well.
        let reading = timeout(PATIENCE, stream.read_to_end(&mut read)).await;
        assert!(reading.is_ok(), "no end after {}", String::from_utf8_lossy(&read));
        answers(&String::from_utf8_lossy(&read))
    }

    /// The one answer to these bytes.
    pub(crate) async fn answer(&self, bytes: &[u8]) -> Answer {
        let mut answers = self.answers(bytes).await;
        assert_eq!(answers.len(), 1, "{answers:?} to {}", String::from_utf8_lossy(bytes));
        answers.remove(0)
    }

    /// Nothing went upstream, nothing went wrong inside, and the program serves on.
    pub(crate) async fn is_unharmed(&self) {
        let asked: Vec<_> = self.mock.log().iter().map(|entry| entry.path().to_owned()).collect();
        assert!(asked.is_empty(), "upstream was asked {asked:?}");
        self.serves_on().await;
    }

    /// Nothing went wrong inside, and the program serves on.
    pub(crate) async fn serves_on(&self) {
        let health = self.answer(request("GET /health", "", "").as_bytes()).await;
        assert_eq!(health.status, 200, "{health:?}");
        let written = self.server.written();
        assert!(!written.contains("panicked"), "{written}");
    }
}

/// A request by the token that closes its connection behind it.
pub(crate) fn request(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nhost: door.test\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// The answers in what came over a connection. Those that follow each other here have their length
/// told; the last may end with the connection, or be chunked.
fn answers(text: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no HTTP: {rest}"));
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok()
        });
        let (body, next) = after.split_at(length.unwrap_or(after.len()).min(after.len()));
        answers.push(Answer { status, head: head.into(), body: body.into() });
        rest = next;
    }
    answers
}
