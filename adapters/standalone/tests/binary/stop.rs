//! The end: running requests are finished, new ones are not accepted.

use std::{io::Read, net::TcpStream, time::Instant};

use balance_mock::{Mock, Setup};

use crate::process::{SOON, Server, folder};

/// A fake Gemini whose streams take about a second and a half.
async fn slow_mock() -> Mock {
    Mock::start(Setup { pace_ms: Some(150), ..Setup::good_keys(1) }).await.unwrap()
}

fn start(mock: &Mock) -> Server {
    let (key, url) = (Setup::secret("good", 1), mock.base_url());
    Server::start(&folder(), &[("API_KEYS", &key), ("BASE_URL", url), ("ACCESS_TOKENS", "token")])
}

/// Asks for a stream and reads its beginning.
fn stream(server: &Server) -> TcpStream {
    let path = "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    let body = r#"{"contents":[{"parts":[{"text":"Count to ten."}]}]}"#;
    let headers = [("x-goog-api-key", "token"), ("Content-Type", "application/json")];
    let mut stream = server.open(path, &headers, body);
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_stream_is_finished_and_its_end_logged() {
    let mock = slow_mock().await;
    let server = start(&mock);
    let mut stream = stream(&server);
    let address = server.address.clone();
    server.signal("TERM");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"finishReason\"") && rest.ends_with("0\r\n\r\n"), "{rest}");
    let (status, output) = server.wait();
    assert!(status.success() && output.contains("stopping: "), "{output}");
    assert!(output.contains("stream ended") && output.contains("finished"), "{output}");
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let mock = Mock::start(Setup { pace_ms: Some(5000), ..Setup::good_keys(1) }).await.unwrap();
    let server = start(&mock);
    let _stream = stream(&server);
    let start = Instant::now();
    server.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(200));
    server.signal("INT");
    let (status, _) = server.wait();
    assert!(status.success() && start.elapsed() < SOON / 4);
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let server = Server::start(&folder(), &[]);
    let _silent = TcpStream::connect(&server.address).unwrap();
    let mut kept_alive = TcpStream::connect(&server.address).unwrap();
    std::io::Write::write_all(&mut kept_alive, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    kept_alive.read_exact(&mut [0; 15]).unwrap();
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < SOON / 4);
}
