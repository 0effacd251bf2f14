//! Visits to addresses that are not upstream's: how far they reach, and what they show.

use balance_core::{
    host::{Fetch, VisitError},
    reach::Reach,
};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use tokio::{io::AsyncWriteExt, sync::mpsc};

use crate::{
    Host, host, host_trusting,
    servers::{Server, answer, read_head, tls},
};

fn question(url: &str) -> Request<Bytes> {
    Request::get(url).header("accept", "*/*").body(Bytes::new()).unwrap()
}

async fn visit(host: &Host, url: &str, reach: Reach) -> Result<String, VisitError> {
    let response = host.visit(question(url), reach).await?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_name_that_leads_home_is_not_followed_for_callers() {
    let server = Server::answering("secret").await;
    let port = server.address.port();
    for place in ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{place}:{port}/");
        let refused = visit(&host(&[]), &url, Reach::Public).await;
        assert!(refused.is_err(), "{url}: {refused:?}");
    }
    let refused = visit(&host(&[]), &format!("http://localhost:{port}/"), Reach::Public).await;
    assert!(matches!(refused, Err(VisitError::OutOfReach)), "{refused:?}");
    assert_eq!(server.connections(), 0, "not even a connection was made");
}

#[tokio::test]
async fn what_the_operator_names_may_lie_anywhere() {
    let (head, mut heads) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let head = head.clone();
        async move {
            head.send(read_head(&mut stream).await.unwrap()).await.unwrap();
            stream.write_all(answer("picture").as_bytes()).await.unwrap();
        }
    })
    .await;
    let url = format!("http://localhost:{}/a?b=c#d", server.address.port());
    assert_eq!(visit(&host(&[]), &url, Reach::Anywhere).await.unwrap(), "picture");
    let head = heads.recv().await.unwrap();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines[1..].sort_unstable();
    let name = format!("host: localhost:{}", server.address.port());
    assert_eq!(lines, ["GET /a?b=c HTTP/1.1", "accept: */*", &name]);
}

#[tokio::test]
async fn a_certificate_must_be_that_of_the_name() {
    let (acceptor, client) = tls();
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            read_head(&mut stream).await;
            stream.write_all(answer("secure").as_bytes()).await.unwrap();
        }
    })
    .await;
    let url = format!("https://localhost:{}/", server.address.port());
    let trusting = host_trusting(&client);
    assert_eq!(visit(&trusting, &url, Reach::Anywhere).await.unwrap(), "secure");
    let refused = visit(&host(&[]), &url, Reach::Anywhere).await;
    assert!(matches!(refused, Err(VisitError::Lost(_))), "{refused:?}");
}

#[tokio::test]
async fn a_place_without_a_server_says_why() {
    let lost = visit(&host(&[]), "http://127.0.0.1:1/", Reach::Anywhere).await.unwrap_err();
    assert!(lost.to_string().contains("refused"), "{lost}");
}
