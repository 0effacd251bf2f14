//! What the log tells about clients that leave, and about uploads as they come.

use std::time::Duration;

use balance_mock::{Ending, Mock, Rule, Setup, Shape};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::raw::Ask;

const PATIENCE: Duration = Duration::from_secs(5);

fn slow() -> Rule {
    Rule { pace_ms: Some(30), ..Rule::answer(Shape { events: Some(500), ..Shape::default() }) }
}

async fn ending(mock: &Mock) -> Ending {
    let ended = |entry: &balance_mock::Entry| entry.ending != Ending::Open;
    mock.wait_for(PATIENCE, |log| log.first().is_some_and(ended)).await[0].ending
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_stream_is_recorded_with_its_place() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    mock.next(slow());
    let mut stream = Ask::stream("x").sent(&mock).await;
    let mut buffer = [0; 4096];
    let mut arrived = Vec::new();
    while !arrived.windows(5).any(|window| window == b"data:") {
        let count = stream.read(&mut buffer).await.unwrap();
        arrived.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(mock.log()[0].ending, Ending::Open);
    drop(stream);
    let Ending::Gone { at } = ending(&mock).await else { panic!("{:?}", mock.log()) };
    assert!((100..5000).contains(&at), "a few events of 230 bytes: {at}");
}

#[tokio::test]
async fn leaving_before_the_head_is_recorded() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    mock.next(Rule { delay_ms: Some(60_000), ..Rule::default() });
    let stream = Ask::generate("x").sent(&mock).await;
    mock.wait_for(PATIENCE, |log| log.len() == 1).await;
    drop(stream);
    assert_eq!(ending(&mock).await, Ending::Gone { at: 0 });
    assert_eq!(mock.log()[0].status, None);
}

#[tokio::test]
async fn a_stream_that_was_read_is_complete() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    let answer = Ask::stream("x").to(&mock).await;
    let log = mock.log();
    assert_eq!((log[0].ending, log[0].sent), (Ending::Complete, answer.body.len() as u64));
}

#[tokio::test]
async fn an_answer_without_a_body_is_complete() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    mock.next(Rule { status: Some(503), ..Rule::default() });
    let answer = Ask::generate("x").to(&mock).await;
    assert_eq!((answer.status, answer.body.len()), (503, 0));
    assert_eq!(answer.headers["content-length"], "0");
    assert_eq!(mock.log()[0].ending, Ending::Complete);
}

#[tokio::test]
async fn http2_works_without_tls_and_a_cancelled_stream_is_recorded() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    let io = TokioIo::new(TcpStream::connect(mock.address()).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    mock.next(slow());
    let url =
        format!("{}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", mock.base_url());
    let request = http::Request::post(url)
        .header("x-goog-api-key", Setup::secret("good", 1))
        .body(Full::new(Bytes::from_static(br#"{"contents":[{"parts":[{"text":"x"}]}]}"#)))
        .unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
    assert!(response.frame().await.unwrap().unwrap().data_ref().unwrap().starts_with(b"data: "));
    drop(response);
    assert!(matches!(ending(&mock).await, Ending::Gone { at: 100.. }));
    connection.abort();
}

#[tokio::test]
async fn dropping_the_fake_closes_its_connections() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    mock.next(Rule { silence: Some(0), ..Rule::default() });
    let mut stream = Ask::generate("x").sent(&mock).await;
    let mut buffer = [0; 16];
    stream.read_exact(&mut buffer).await.unwrap();
    let address = mock.address();
    drop(mock);
    let mut rest = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(reading.is_ok(), "the connection ends");
    assert!(TcpStream::connect(address).await.is_err());
}
