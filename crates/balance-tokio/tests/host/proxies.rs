//! Requests through proxies: what each proxy is told, and which one a key goes by.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use balance_core::{
    host::{Fetch, FetchError, VisitError},
    key::KeyId,
    reach::Reach,
};
use balance_tokio::TokioHost;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

use crate::{
    Host, host, post,
    servers::{Server, read_head, tls},
    settings, text,
};

/// What proxies were asked, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// Answers one `CONNECT`, then passes bytes on.
async fn tunnel(mut stream: impl AsyncRead + AsyncWrite + Unpin, log: Log) {
    let head = read_head(&mut stream).await.unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    log.lock().unwrap().push(head.trim_end().to_owned());
    let mut upstream = TcpStream::connect(target).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _closed = copy_bidirectional(&mut stream, &mut upstream).await;
}

async fn http_proxy() -> (Server, Log) {
    let log = Log::default();
    let seen = log.clone();
    (Server::start(move |stream, _| tunnel(stream, log.clone())).await, seen)
}

/// A SOCKS5 proxy (RFC 1928) that wants `user` and `p:w` (RFC 1929) if `guarded`.
async fn socks5_proxy(guarded: bool) -> (Server, Log) {
    let log = Log::default();
    let seen = log.clone();
    let server = Server::start(move |mut stream, _| {
        let log = log.clone();
        async move {
            let method = if guarded { 2 } else { 0 };
            assert_eq!(read(&mut stream, 3).await, [5, 1, method]);
            stream.write_all(&[5, method]).await.unwrap();
            if guarded {
                assert_eq!(read(&mut stream, 10).await, b"\x01\x04user\x03p:w");
                stream.write_all(&[1, 0]).await.unwrap();
            }
            let request = read(&mut stream, 4).await;
            assert_eq!(request[..3], [5, 1, 0]);
            let host = match request[3] {
                1 => read(&mut stream, 4)
                    .await
                    .iter()
                    .map(u8::to_string)
                    .collect::<Vec<_>>()
                    .join("."),
                3 => {
                    let length = read(&mut stream, 1).await[0];
                    String::from_utf8(read(&mut stream, length.into()).await).unwrap()
                }
                kind => panic!("address of kind {kind}"),
            };
            let port = u16::from_be_bytes(read(&mut stream, 2).await.try_into().unwrap());
            log.lock().unwrap().push(format!("{host}:{port}"));
            let mut upstream = TcpStream::connect((host, port)).await.unwrap();
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let _closed = copy_bidirectional(&mut stream, &mut upstream).await;
        }
    })
    .await;
    (server, seen)
}

async fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

fn through(proxies: &str) -> Host {
    host(&[("PROXIES", proxies)])
}

#[tokio::test]
async fn an_http_proxy_is_asked_for_a_tunnel_and_shown_the_credentials() {
    let (server, (proxy, log)) = (Server::answering("hello").await, http_proxy().await);
    let host = through(&format!("http://us%40er:p%3Aw@{}", proxy.address));
    for _ in 0..3 {
        assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    }
    let target = server.address;
    let asked = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic dXNAZXI6cDp3"
    );
    assert_eq!(*log.lock().unwrap(), [asked], "one tunnel for three requests");
}

#[tokio::test]
async fn a_socks5_proxy_is_given_the_name_to_resolve() {
    let (server, (proxy, log)) = (Server::answering("hello").await, socks5_proxy(false).await);
    let port = server.address.port();
    let host = through(&format!("socks5://{}", proxy.address));
    let answer = host.fetch(post(&format!("http://localhost:{port}/"))).await;
    assert_eq!(text(answer).await, "hello");
    assert_eq!(*log.lock().unwrap(), [format!("localhost:{port}")]);
}

#[tokio::test]
async fn files_and_providers_are_reached_through_the_proxy_too() {
    let (server, (proxy, log)) = (Server::answering("picture").await, http_proxy().await);
    let port = server.address.port();
    let host = through(&format!("http://{}", proxy.address));
    let visit = |reach| {
        let question = Request::get(format!("http://localhost:{port}/a")).body(Bytes::new());
        host.visit(question.unwrap(), reach)
    };
    let picture = visit(Reach::Anywhere).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(picture.to_bytes(), "picture");
    let asked = format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}");
    assert_eq!(*log.lock().unwrap(), [asked]);
    let refused = visit(Reach::Public).await;
    assert!(matches!(refused, Err(VisitError::OutOfReach)), "a proxy reaches no further");
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_socks5_proxy_is_shown_the_credentials() {
    let (server, (proxy, log)) = (Server::answering("hello").await, socks5_proxy(true).await);
    let host = through(&format!("socks5://user:p%3Aw@{}", proxy.address));
    assert_eq!(text(host.fetch(post(&server.url())).await).await, "hello");
    assert_eq!(*log.lock().unwrap(), [server.address.to_string()]);
}

#[tokio::test]
async fn an_https_proxy_is_reached_by_tls_and_upstreams_tls_runs_inside() {
    let (acceptor, trust) = tls();
    let upstream = acceptor.clone();
    let server = Server::start(move |stream, _| {
        let upstream = upstream.clone();
        async move {
            let stream = upstream.accept(stream).await.unwrap();
            let mut http2 = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = http2.accept().await {
                respond.send_response(http::Response::new(()), true).unwrap();
            }
        }
    })
    .await;
    let log = Log::default();
    let seen = log.clone();
    let proxy = Server::start(move |stream, _| {
        let (acceptor, log) = (acceptor.clone(), log.clone());
        async move { tunnel(acceptor.accept(stream).await.unwrap(), log).await }
    })
    .await;
    let settings = settings(&[("PROXIES", &format!("https://{}", proxy.address))]);
    let host: Host = TokioHost::with_tls(&settings, &trust).unwrap();
    let url = format!("https://localhost:{}/", server.address.port());
    assert_eq!(host.fetch(post(&url)).await.unwrap().status(), 200);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_failure_to_connect_that_shows_no_password() {
    let proxy = Server::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        stream.write_all(refusal).await.unwrap();
    })
    .await;
    let host = through(&format!("http://user:secret@{}", proxy.address));
    let error = host.fetch(post("http://upstream.test/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert!(error.to_string().contains("proxy authorization required"), "{error}");
    assert!(!format!("{error:?} {host:?}").contains("secret"));
}

#[tokio::test]
async fn a_plain_url_without_a_port_is_asked_for_at_port_80() {
    let log = Log::default();
    let seen = log.clone();
    let proxy = Server::start(move |mut stream, _| {
        let log = log.clone();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            log.lock().unwrap().push(head);
        }
    })
    .await;
    let host = through(&format!("http://{}", proxy.address));
    assert!(host.fetch(post("http://upstream.test/path")).await.is_err());
    assert!(seen.lock().unwrap()[0].starts_with("CONNECT upstream.test:80 HTTP/1.1\r\n"));
}

/// Sends requests for `keys` through four proxies; gives the proxies used for each.
async fn proxies_used(by_key: &str, keys: &[KeyId]) -> Vec<HashSet<usize>> {
    let server = Server::answering("hello").await;
    let mut proxies = Vec::new();
    for _ in 0..4 {
        proxies.push(http_proxy().await);
    }
    let urls: Vec<_> =
        proxies.iter().map(|(proxy, _)| format!("http://{}", proxy.address)).collect();
    let settings = [("PROXIES", &*urls.join(",")), ("PROXIES_BY_KEY", by_key)];
    let mut used = vec![HashSet::new(); keys.len()];
    for round in 0..12 {
        for (key, used) in keys.iter().zip(&mut used) {
            // A new host each time, as after a restart; so each request opens a tunnel.
            let tunnels =
                || proxies.iter().map(|(proxy, _)| proxy.connections()).collect::<Vec<_>>();
            let before = tunnels();
            let mut request = post(&server.url());
            request.extensions_mut().insert(*key);
            assert_eq!(text(host(&settings).fetch(request).await).await, "hello", "round {round}");
            used.extend((0..4).filter(|proxy| tunnels()[*proxy] > before[*proxy]));
        }
    }
    used
}

#[tokio::test]
async fn a_key_keeps_its_proxy_over_restarts_and_keys_differ() {
    let keys: Vec<_> = (0..12).map(|n| KeyId::of(&format!("key {n}"))).collect();
    let used = proxies_used("true", &keys).await;
    assert!(used.iter().all(|proxies| proxies.len() == 1), "{used:?}");
    assert!(used.into_iter().flatten().collect::<HashSet<_>>().len() > 1);
}

#[tokio::test]
async fn without_consistent_hashing_a_key_goes_by_any_proxy() {
    let used = proxies_used("false", &[KeyId::of("key")]).await;
    assert!(used[0].len() > 1, "{used:?}");
}
