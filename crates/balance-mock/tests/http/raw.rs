//! A tiny HTTP/1.1 client that hides nothing: what arrived, in which chunks, and how it ended.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::ErrorKind;

use balance_mock::{Mock, Setup};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Sizes of the transfer chunks; empty with a content-length.
    pub(crate) chunks: Vec<usize>,
    /// Whether the body came to its proper end.
    pub(crate) complete: bool,
    /// How reading ended, if not by the end of the stream.
    pub(crate) error: Option<ErrorKind>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The JSON of each `data:` event.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let events = text.split("\r\n\r\n").filter(|event| !event.is_empty());
        events
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self { method: "POST", body: body.to_string().into(), ..Self::get(path) }
    }

    pub(crate) fn bytes(path: &str, body: &[u8]) -> Self {
        Self { method: "POST", body: body.into(), ..Self::get(path) }
    }

    /// `generateContent` of a prompt with the first good key.
    pub(crate) fn generate(prompt: &str) -> Self {
        let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": prompt }] }] });
        Self::post("/v1beta/models/gemini-2.5-flash:generateContent", &body).good_key()
    }

    /// The same as a stream of events.
    pub(crate) fn stream(prompt: &str) -> Self {
        let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
        Self { path: path.into(), ..Self::generate(prompt) }
    }

    /// The same as an array.
    pub(crate) fn array(prompt: &str) -> Self {
        let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
        Self { path: path.into(), ..Self::generate(prompt) }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn key(self, kind: &str, number: usize) -> Self {
        self.header("x-goog-api-key", &Setup::secret(kind, number))
    }

    pub(crate) fn good_key(self) -> Self {
        self.key("good", 1)
    }

    /// Sends it on a connection of its own, without reading.
    pub(crate) async fn sent(&self, mock: &Mock) -> TcpStream {
        let mut stream = TcpStream::connect(mock.address()).await.unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nhost: mock\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "connection: close\r\ncontent-length: {}\r\n\r\n", self.body.len()).unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&self.body).await.unwrap();
        stream
    }

    /// Sends it and reads to the end; `None` if no head came.
    pub(crate) async fn try_to(&self, mock: &Mock) -> Option<Answer> {
        let (bytes, error) = read_to_end(&mut self.sent(mock).await).await;
        parse(&bytes, error)
    }

    /// Sends it and reads to the end.
    pub(crate) async fn to(&self, mock: &Mock) -> Answer {
        self.try_to(mock).await.expect("an answer with a head")
    }
}

/// All that comes, and the error that ended it.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return (bytes, None),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => return (bytes, Some(error.kind())),
        }
    }
}

fn parse(bytes: &[u8], error: Option<ErrorKind>) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let raw = &bytes[end + 4..];
    let (body, chunks, complete) = if headers.contains_key("transfer-encoding") {
        dechunk(raw)
    } else {
        let length = headers.get("content-length").map(|length| length.parse::<usize>().unwrap());
        (raw.to_vec(), Vec::new(), length.is_none_or(|length| length == raw.len()))
    };
    Some(Answer { status, headers, body, chunks, complete, error })
}

fn dechunk(mut raw: &[u8]) -> (Vec<u8>, Vec<usize>, bool) {
    let (mut body, mut chunks) = (Vec::new(), Vec::new());
    while let Some(at) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, chunks, true);
        }
        raw = &raw[at + 2..];
        let data = &raw[..size.min(raw.len())];
        body.extend_from_slice(data);
        chunks.push(data.len());
        raw = raw.get(size + 2..).unwrap_or_default();
    }
    (body, chunks, false)
}
