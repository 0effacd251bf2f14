//! What a request looks like upstream, and what becomes of answers whole, slow and broken.

use std::time::{Duration, SystemTime};

use balance_core::host::{Clock, Fetch, FetchError, Payload, Random};
use balance_tokio::{Silent, TokioHost};
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Version};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    host, post,
    servers::{Server, read_head},
    settings,
};

/// Sends `start` on a new connection, waits, and closes.
async fn server(start: &'static str, wait: Duration) -> Server {
    Server::start(move |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        sleep(wait).await;
    })
    .await
}

#[tokio::test]
async fn the_request_arrives_as_it_was_made_with_a_host_and_a_length() {
    let (head, mut heads) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let head = head.clone();
        async move { head.send(read_head(&mut stream).await.unwrap()).await.unwrap() }
    })
    .await;
    let mut request = post(&format!("{}v1beta/models/m:x?alt=sse", server.url()));
    request.headers_mut().insert("x-goog-api-key", "k".parse().unwrap());
    // As it is when the caller came over HTTP/2.
    *request.version_mut() = Version::HTTP_2;
    drop(host(&[]).fetch(request).await);
    let head = heads.recv().await.unwrap();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines[1..].sort_unstable();
    assert_eq!(lines[0], "POST /v1beta/models/m:x?alt=sse HTTP/1.1");
    let host = format!("host: {}", server.address);
    assert_eq!(lines[1..], ["content-length: 2", &host, "x-goog-api-key: k"]);
}

#[tokio::test]
async fn an_answer_arrives_as_it_is_made() {
    let start = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n";
    let server = server(start, Duration::from_secs(60)).await;
    let mut body = host(&[]).fetch(post(&server.url())).await.unwrap().into_body();
    let frame = timeout(Duration::from_secs(5), body.frame()).await.unwrap().unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "hel");
}

#[tokio::test]
async fn an_answer_that_falls_silent_ends_with_an_error() {
    let start = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel";
    let server = server(start, Duration::from_secs(60)).await;
    let host = host(&[("IDLE_SECONDS", "0.2")]);
    let mut body = host.fetch(post(&server.url())).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    let error = timeout(Duration::from_secs(5), body.frame()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Silent(Duration::from_millis(200))));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_ends_with_an_error() {
    let start = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel";
    let server = server(start, Duration::ZERO).await;
    let body = host(&[]).fetch(post(&server.url())).await.unwrap().into_body();
    assert!(body.collect().await.is_err());
}

#[tokio::test]
async fn an_answer_that_never_starts_or_is_no_http_is_broken() {
    for start in ["", "HTTP/1.1 20", "SSH-2.0-OpenSSH_9.2\r\n\r\n"] {
        let server = server(start, Duration::ZERO).await;
        let error = host(&[]).fetch(post(&server.url())).await.unwrap_err();
        assert!(matches!(error, FetchError::Broken(_)), "{start:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_streamed_request_is_passed_on_piece_by_piece() {
    let (arrived, mut pieces) = mpsc::channel(8);
    let server = Server::start(move |mut stream, _| {
        let arrived = arrived.clone();
        async move {
            read_head(&mut stream).await;
            let mut piece = [0; 64];
            while let Ok(count @ 1..) = stream.read(&mut piece).await {
                arrived.send(piece[..count].to_vec()).await.unwrap();
            }
        }
    })
    .await;
    let (sender, receiver) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(1);
    let pending = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    let body = Payload::Stream(StreamBody::new(Box::pin(pending)));
    let request = Request::post(server.url()).body(body).unwrap();
    let host = TokioHost::new(&settings(&[])).unwrap();
    tokio::spawn(async move { drop(host.fetch(request).await) });
    for text in ["first", "second"] {
        sender.send(Ok(Frame::data(Bytes::from_static(text.as_bytes())))).await.unwrap();
        let piece = timeout(Duration::from_secs(5), pieces.recv()).await.unwrap().unwrap();
        assert_eq!(String::from_utf8(piece).unwrap(), format!("{:x}\r\n{text}\r\n", text.len()));
    }
}

#[tokio::test]
async fn the_clock_is_the_systems_and_chance_does_not_repeat() {
    let host = host(&[]);
    let system = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert!(host.now().unix_millis().abs_diff(system.as_millis() as u64) < 1000);
    let before = host.now();
    host.sleep(Duration::from_millis(20)).await;
    assert!(host.now().since(before) >= Duration::from_millis(19));
    let numbers: std::collections::HashSet<_> = (0..1000).map(|_| host.next_u64()).collect();
    assert_eq!(numbers.len(), 1000);
}
