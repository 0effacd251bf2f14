//! The requests that are measured, and what a right answer to each looks like.
//!
//! Invariant: on one row all targets have the same work; nginx and the mock, which cannot
//! translate, get the native form of what the server is asked in OpenAI's.

use std::net::SocketAddr;

use anyhow::bail;
use bytes::Bytes;

use crate::client::Connection;

use super::fleet::Target;

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    dialect: Dialect,
    delivery: Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Native,
    OpenAi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Json,
    Stream,
}

pub(super) const WORKLOADS: [Workload; 4] = [
    Workload { name: "native JSON", dialect: Dialect::Native, delivery: Delivery::Json },
    Workload { name: "native SSE", dialect: Dialect::Native, delivery: Delivery::Stream },
    Workload { name: "OpenAI JSON", dialect: Dialect::OpenAi, delivery: Delivery::Json },
    Workload { name: "OpenAI SSE", dialect: Dialect::OpenAi, delivery: Delivery::Stream },
];

/// The streams whose events are timed: native, so that event by event is comparable.
pub(super) const PACED: Workload =
    Workload { name: "native SSE", dialect: Dialect::Native, delivery: Delivery::Stream };

const QUESTION: &str = "Which three rivers of Europe carry the most water, and into which seas do they flow? \
     Answer in three short paragraphs, one for each river, and name the countries on the way.";
const INSTRUCTION: &str = "You are a patient teacher of geography. Be exact and brief.";

impl Workload {
    /// The whole request to this target, as it goes over the wire.
    pub(super) fn request(self, target: Target, address: SocketAddr, credential: &str) -> Bytes {
        let (path, field, body) = match (self.dialect_for(target), self.delivery) {
            (Dialect::Native, Delivery::Json) => (
                "/v1beta/models/gemini-2.5-flash:generateContent",
                "x-goog-api-key: ",
                native_body(),
            ),
            (Dialect::Native, Delivery::Stream) => (
                "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
                "x-goog-api-key: ",
                native_body(),
            ),
            (Dialect::OpenAi, delivery) => {
                ("/v1/chat/completions", "authorization: Bearer ", openai_body(delivery))
            }
        };
        let length = body.len();
        Bytes::from(format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{field}{credential}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    fn dialect_for(self, target: Target) -> Dialect {
        if target == Target::Server { self.dialect } else { Dialect::Native }
    }

    /// Asks once, makes sure that the answer is a whole and right one, and tells how long it is.
    pub(super) async fn probe(
        self,
        target: Target,
        address: SocketAddr,
        request: &[u8],
    ) -> anyhow::Result<u64> {
        let mut body = Vec::new();
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(request, |piece| body.extend_from_slice(piece)).await?;
        let text = String::from_utf8_lossy(&body);
        let wanted: &[&str] = match (self.dialect_for(target), self.delivery) {
            (Dialect::Native, _) => &["\"candidates\"", "\"finishReason\"", "\"usageMetadata\""],
            (Dialect::OpenAi, Delivery::Json) => &["\"chat.completion\"", "\"finish_reason\""],
            (Dialect::OpenAi, Delivery::Stream) => &["\"chat.completion.chunk\"", "data: [DONE]"],
        };
        if answer.status != 200 {
            bail!("the first answer had status {}: {text}", answer.status);
        }
        if let Some(missing) = wanted.iter().find(|marker| !text.contains(**marker)) {
            bail!("the first answer has no {missing}: {text}");
        }
        Ok(answer.body_bytes)
    }
}

fn native_body() -> String {
    format!(
        r#"{{"systemInstruction":{{"parts":[{{"text":"{INSTRUCTION}"}}]}},"contents":[{{"role":"user","parts":[{{"text":"{QUESTION}"}}]}}],"generationConfig":{{"temperature":0.4,"maxOutputTokens":1024}}}}"#
    )
}

fn openai_body(delivery: Delivery) -> String {
    let stream = delivery == Delivery::Stream;
    format!(
        r#"{{"model":"gemini-2.5-flash","messages":[{{"role":"system","content":"{INSTRUCTION}"}},{{"role":"user","content":"{QUESTION}"}}],"temperature":0.4,"max_tokens":1024,"stream":{stream}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(workload: Workload, target: Target) -> String {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        String::from_utf8(workload.request(target, address, "secret").to_vec()).unwrap()
    }

    #[test]
    fn only_the_server_is_asked_in_the_dialect_it_translates() {
        for workload in WORKLOADS.into_iter().filter(|workload| workload.dialect == Dialect::OpenAi)
        {
            assert!(text(workload, Target::Server).starts_with("POST /v1/chat/completions "));
            assert!(text(workload, Target::Nginx).starts_with("POST /v1beta/models/"));
            assert_eq!(text(workload, Target::Nginx), text(workload, Target::Mock));
        }
    }

    #[test]
    fn every_request_is_valid_json_of_the_length_it_tells() {
        for workload in WORKLOADS {
            for target in Target::ALL {
                let request = text(workload, target);
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
                serde_json::from_str::<serde_json::Value>(body).unwrap();
            }
        }
    }
}
