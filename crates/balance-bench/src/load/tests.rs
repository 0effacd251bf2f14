//! The load generator against a tiny server on a thread of its own.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use super::*;

/// Serves every connection on its own thread: each request, told by one read, gets `answer(n)`.
fn serve(answer: fn(usize) -> &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut request = [0; 1024];
                let mut count = 0;
                while socket.read(&mut request).is_ok_and(|length| length > 0) {
                    socket.write_all(answer(count)).unwrap();
                    count += 1;
                }
            });
        }
    });
    address
}

fn run(address: SocketAddr, connections: usize) -> Result<Sample, LoadError> {
    let load = Load {
        address,
        request: Bytes::from_static(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
        body_bytes: 5,
        connections,
        duration: Duration::from_millis(100),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(load.run(|| {}, || {}))
}

#[test]
fn every_connection_is_kept_busy_until_the_end() {
    let sample = run(serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"), 4).unwrap();
    assert!(sample.elapsed >= Duration::from_millis(100), "{:?}", sample.elapsed);
    assert!(sample.whole.len() > 40, "{} answers", sample.whole.len());
    assert_eq!(sample.whole.len(), sample.first.len());
}

#[test]
fn one_answer_with_another_status_ends_the_load() {
    let address = serve(|count| match count {
        20 => b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry",
        _ => b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    });
    let error = run(address, 2).unwrap_err();
    assert!(matches!(error, LoadError::Unexpected { status: 502, .. }), "{error}");
}

#[test]
fn one_answer_with_a_shorter_body_ends_the_load() {
    let address = serve(|count| match count {
        20 => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n0\r\n\r\n",
        _ => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    });
    let error = run(address, 2).unwrap_err();
    assert!(matches!(error, LoadError::Unexpected { body_bytes: 4, .. }), "{error}");
}
