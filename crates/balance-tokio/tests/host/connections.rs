//! Which connections are opened, kept, shared and closed.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use balance_core::host::{Fetch, FetchError};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use http_body_util::BodyExt;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};

use crate::{
    host, host_trusting, post,
    servers::{Server, answer, read_head, tls},
    text,
};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let (server, host) = (Server::answering("hello").await, host(&[]));
    for _ in 0..10 {
        assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_upstream_closed_is_replaced_unseen() {
    let server = Server::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(answer("once").as_bytes()).await.unwrap();
    })
    .await;
    let host = host(&[]);
    for _ in 0..5 {
        assert_eq!(text(host.fetch(post(&server.url())).await).await, "once");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn idle_connections_that_upstream_closed_together_are_replaced_unseen() {
    let server = Server::start(|mut stream, connection| async move {
        read_head(&mut stream).await;
        // So that all of them are open at the same time.
        sleep(Duration::from_millis(100)).await;
        stream.write_all(answer("once").as_bytes()).await.unwrap();
        while connection >= 20 && read_head(&mut stream).await.is_some() {}
    })
    .await;
    let host = host(&[]);
    let answers = (0..20).map(|_| async { text(host.fetch(post(&server.url())).await).await });
    assert_eq!(join_all(answers).await, vec!["once"; 20]);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(text(host.fetch(post(&server.url())).await).await, "once");
    assert_eq!(server.connections(), 21);
}

/// The first connection answers one request and dies at the next; gives the server and a count of
/// the requests that reached it.
async fn dying_server() -> (Server, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let server = Server::start(move |mut stream, connection| {
        let count = count.clone();
        async move {
            while read_head(&mut stream).await.is_some() {
                if count.fetch_add(1, SeqCst) > 0 && connection == 0 {
                    return;
                }
                stream.write_all(answer("hello").as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    (server, requests)
}

#[tokio::test]
async fn a_request_that_finds_an_idle_connection_dead_is_sent_again() {
    let ((server, requests), host) = (dying_server().await, host(&[]));
    assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    sleep(Duration::from_millis(1100)).await;
    assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    assert_eq!((server.connections(), requests.load(SeqCst)), (2, 3));
}

#[tokio::test]
async fn a_request_that_may_have_been_served_is_not_sent_again() {
    let ((server, requests), host) = (dying_server().await, host(&[]));
    assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    let error = host.fetch(post(&server.url())).await.unwrap_err();
    assert!(matches!(error, FetchError::Broken(_)), "{error:?}");
    assert_eq!((server.connections(), requests.load(SeqCst)), (1, 2));
}

#[tokio::test]
async fn a_refused_connection_is_a_failure_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = host(&[]).fetch(post(&url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_finishes_tls_is_a_failure_to_connect() {
    let server = Server::start(|mut stream, _| async move {
        while stream.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    let url = format!("https://{}/", server.address);
    let error = host(&[]).fetch(post(&url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert!(error.to_string().contains("not connected in 10s"), "{error}");
}

#[tokio::test]
async fn an_unknown_authority_is_a_failure_to_connect() {
    let (acceptor, _) = tls();
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    let url = format!("https://{}/", server.address);
    let error = host(&[]).fetch(post(&url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
}

/// A server that sends `start` and no more; tells when its caller has gone.
async fn stalling_server(start: &'static str) -> (Server, mpsc::Receiver<()>) {
    let (gone, seen_gone) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let gone = gone.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(start.as_bytes()).await.unwrap();
            while stream.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
            gone.send(()).await.unwrap();
        }
    })
    .await;
    (server, seen_gone)
}

#[tokio::test]
async fn dropping_a_fetch_hangs_up() {
    let ((server, mut gone), host) = (stalling_server("").await, host(&[]));
    let fetch = timeout(Duration::from_millis(100), host.fetch(post(&server.url()))).await;
    assert!(fetch.is_err());
    timeout(SOON, gone.recv()).await.unwrap().unwrap();
}

#[tokio::test]
async fn dropping_a_body_hangs_up() {
    let start = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel";
    let ((server, mut gone), host) = (stalling_server(start).await, host(&[]));
    let mut body = host.fetch(post(&server.url())).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hel");
    assert!(gone.try_recv().is_err());
    drop(body);
    timeout(SOON, gone.recv()).await.unwrap().unwrap();
}

/// One request of an HTTP/2 connection: where to answer, and both numbers, from 0.
struct Stream {
    respond: h2::server::SendResponse<Bytes>,
    connection: usize,
    number: usize,
}

async fn http2_server<F, R>(serve: F) -> (Server, ClientConfig)
where
    F: Fn(Stream) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let (acceptor, trust) = tls();
    let streams = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |tcp, connection| {
        let (acceptor, serve, streams) = (acceptor.clone(), serve.clone(), streams.clone());
        async move {
            // A client that opened too many connections at once closes the spare ones early.
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            let Ok(mut http2) = h2::server::handshake(tls).await else { return };
            while let Some(Ok((_, respond))) = http2.accept().await {
                let number = streams.fetch_add(1, SeqCst);
                tokio::spawn(serve(Stream { respond, connection, number }));
            }
        }
    })
    .await;
    (server, trust)
}

#[tokio::test]
async fn http2_streams_beyond_what_a_connection_takes_go_to_another() {
    const REQUESTS: usize = 150;
    let (arrived, mut arrivals) = mpsc::channel(REQUESTS);
    let release = Arc::new(Semaphore::new(0));
    let released = release.clone();
    let (server, trust) = http2_server(move |mut stream| {
        let (arrived, release) = (arrived.clone(), release.clone());
        async move {
            arrived.send(stream.connection).await.unwrap();
            let _released = release.acquire().await.unwrap();
            stream.respond.send_response(Response::new(()), true).unwrap();
        }
    })
    .await;
    let (host, url) = (host_trusting(&trust), format!("https://{}/", server.address));
    let answers = tokio::spawn(async move {
        let status = async || host.fetch(post(&url)).await.unwrap().status();
        join_all((0..REQUESTS).map(|_| status())).await
    });
    let mut streams = HashMap::new();
    for _ in 0..REQUESTS {
        let connection = timeout(SOON, arrivals.recv()).await.unwrap().unwrap();
        *streams.entry(connection).or_insert(0) += 1;
    }
    let mut streams: Vec<_> = streams.into_values().collect();
    streams.sort_unstable();
    assert_eq!(streams, [22, 64, 64]);
    released.add_permits(REQUESTS);
    assert!(answers.await.unwrap().iter().all(|status| *status == 200));
}

#[tokio::test]
async fn a_stream_that_upstream_refused_is_sent_again() {
    let (server, trust) = http2_server(|mut stream| async move {
        if stream.number == 0 {
            stream.respond.send_reset(h2::Reason::REFUSED_STREAM);
        } else {
            stream.respond.send_response(Response::new(()), true).unwrap();
        }
    })
    .await;
    let url = format!("https://{}/", server.address);
    assert_eq!(host_trusting(&trust).fetch(post(&url)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stream_that_broke_otherwise_is_not_sent_again() {
    let (server, trust) = http2_server(|mut stream| async move {
        assert_eq!(stream.number, 0);
        stream.respond.send_reset(h2::Reason::INTERNAL_ERROR);
    })
    .await;
    let url = format!("https://{}/", server.address);
    let error = host_trusting(&trust).fetch(post(&url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_refuses_without_end_is_given_up() {
    let (server, trust) = http2_server(|mut stream| async move {
        stream.respond.send_reset(h2::Reason::REFUSED_STREAM);
    })
    .await;
    let url = format!("https://{}/", server.address);
    let error = timeout(SOON, host_trusting(&trust).fetch(post(&url))).await.unwrap().unwrap_err();
    assert!(matches!(error, FetchError::Broken(_)), "{error:?}");
}
