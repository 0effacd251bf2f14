use http_body_util::Full;
use hyper::service::service_fn;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use super::*;

/// A door to a service that answers `hello`; gives a connection through it.
async fn caller() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let service = service_fn(|_request| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    });
    tokio::spawn(Door::new().serve(stream, service, CancellationToken::new()));
    caller
}

/// Sends `start` and waits for the door to close; gives the seconds it took.
async fn seconds_until_closed(start: &[u8]) -> u64 {
    let mut caller = caller().await;
    caller.write_all(start).await.unwrap();
    let begin = Instant::now();
    let mut answer = Vec::new();
    let _reset = caller.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{answer:?}");
    begin.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_does_not_finish_the_head_of_a_request_is_let_go() {
    for start in ["", "G", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let seconds = seconds_until_closed(start.as_bytes()).await;
        assert!((60..=121).contains(&seconds), "{start:?}: {seconds} s");
    }
}

#[tokio::test]
async fn http1_is_served() {
    let mut caller = caller().await;
    caller.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"));
}

#[tokio::test]
async fn http2_is_served_to_those_who_know_even_if_the_preface_comes_in_pieces() {
    let mut caller = caller().await;
    for piece in ["PR", "I * HTTP/2.0\r\n\r\n", "SM\r\n\r\n"] {
        caller.write_all(piece.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(30)).await;
    }
    // An empty SETTINGS frame; the server's own comes back.
    caller.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut frame = [0; 9];
    caller.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4);
}
