//! The client against a socket that answers with exactly the bytes of the test.

use std::{io::Write, net::TcpListener, thread};

use super::*;

/// Exchanges once with a server that sends `pieces` one by one and then closes.
fn exchange(pieces: &'static [&'static [u8]]) -> (Result<Answer, ExchangeError>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_nodelay(true).unwrap();
        io::Read::read(&mut socket, &mut [0; 1024]).unwrap();
        for piece in pieces {
            socket.write_all(piece).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut body = Vec::new();
    let answer = runtime.block_on(async {
        let mut connection = Connection::open(address).await?;
        connection.exchange(b"GET / HTTP/1.1\r\n\r\n", |piece| body.extend_from_slice(piece)).await
    });
    server.join().unwrap();
    (answer, body)
}

#[test]
fn a_body_with_a_length_is_read_to_its_end() {
    let (answer, body) =
        exchange(&[b"HTTP/1.1 200 OK\r\nContent-Len", b"gth: 5\r\n\r\nhel", b"lo"]);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body_bytes, body.as_slice()), (200, 5, &b"hello"[..]));
    assert!(answer.first < answer.whole, "the first byte came a pause before the last: {answer:?}");
}

#[test]
fn a_chunked_body_is_read_to_its_end() {
    let (answer, body) = exchange(&[
        b"HTTP/1.1 429 Too Many Requests\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"0\r\n\r\n",
    ]);
    assert_eq!((answer.unwrap().status, body.as_slice()), (429, &b"abc"[..]));
}

#[test]
fn a_body_cut_short_is_no_answer() {
    let (answer, _) = exchange(&[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"]);
    assert!(matches!(answer, Err(ExchangeError::Closed)), "{answer:?}");
}

#[test]
fn bytes_after_the_body_are_malformed() {
    let (answer, _) = exchange(&[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP"]);
    assert!(matches!(answer, Err(ExchangeError::Malformed(_))), "{answer:?}");
}

#[test]
fn a_body_without_an_end_is_malformed() {
    let (answer, _) = exchange(&[b"HTTP/1.1 200 OK\r\n\r\nhello"]);
    assert!(matches!(answer, Err(ExchangeError::Malformed(_))), "{answer:?}");
}
