use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Query, for_caller, for_upstream, own_address, point_links_at};
use crate::{key::KeyId, secret::Secret};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

#[test]
fn credentials_and_origins_of_the_caller_stay_here() {
    let sent = for_upstream(headers(&[
        ("authorization", "Bearer t"),
        ("x-goog-api-key", "k"),
        ("x-api-key", "k"),
        ("api-key", "k"),
        ("cookie", "c"),
        ("openai-organization", "o"),
        ("openai-project", "p"),
        ("host", "h"),
        ("x-forwarded-for", "1.2.3.4"),
        ("cf-connecting-ip", "1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("transfer-encoding", "chunked"),
        ("content-length", "3"),
        ("origin", "https://page"),
        ("sec-fetch-mode", "cors"),
    ]));
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn what_google_reads_reaches_it() {
    let all = headers(&[
        ("content-type", "application/json"),
        ("accept", "*/*"),
        ("range", "bytes=0-9"),
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-offset", "0"),
        ("x-goog-api-client", "genai"),
        ("user-agent", "u"),
        ("x-server-timeout", "9"),
        ("api-revision", "2026-05-20"),
        ("if-none-match", "e"),
    ]);
    assert_eq!(for_upstream(all.clone()), all);
}

#[test]
fn a_response_keeps_all_but_its_connection() {
    let answer = headers(&[
        ("content-type", "a/b"),
        ("content-length", "3"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("alt-svc", "h3"),
    ]);
    let kept = for_caller(answer.clone(), true);
    assert_eq!(kept.get_all("set-cookie").iter().count(), 2);
    assert_eq!(kept.len(), 4);
    assert!(!for_caller(answer, false).contains_key("content-length"));
}

#[test]
fn the_query_loses_our_parameters_and_nothing_else() {
    for (query, rest) in [
        ("key=a", ""),
        ("alt=sse&key=a", "?alt=sse"),
        ("key=a&alt=sse", "?alt=sse"),
        (
            "$alt=json%3Benum-encoding%3Dint&x=%2F&key=a&&y",
            "?$alt=json%3Benum-encoding%3Dint&x=%2F&&y",
        ),
        ("keys=1&monkey=2", "?keys=1&monkey=2"),
    ] {
        assert_eq!(Query::of(Some(query)).for_upstream, rest, "{query}");
    }
    assert_eq!(Query::of(None), Query::default());
    assert_eq!(
        Query::of(Some("gb_grant=zz&a=1")),
        Query { for_upstream: "?a=1".into(), grant: None }
    );
}

#[test]
fn links_of_upstream_come_back_through_us() {
    let mut answer = headers(&[
        ("x-goog-upload-url", "https://g.example/upload/v1beta/files?upload_id=u"),
        ("location", "https://elsewhere.example/x"),
    ]);
    let (key, secret) = (KeyId::from_u64(255), Secret::new("AIzaSyA-a-key"));
    point_links_at(&mut answer, "https://g.example", "https://me.example", key, &secret);
    let link: http::Uri = answer["x-goog-upload-url"].to_str().unwrap().parse().unwrap();
    assert_eq!(link.host(), Some("me.example"));
    let query = Query::of(link.query());
    assert_eq!(query.for_upstream, "?upload_id=u");
    let upstream = link.path().to_owned() + &query.for_upstream;
    assert!(query.grant.unwrap().is_for(&upstream, &secret));
    assert_eq!(answer["location"], "https://elsewhere.example/x");
    let mut tricky = headers(&[("location", "https://g.example.evil/x")]);
    point_links_at(&mut tricky, "https://g.example", "https://me.example", key, &secret);
    assert_eq!(tricky["location"], "https://g.example.evil/x");
}

#[test]
fn our_address_is_the_one_the_caller_used() {
    let uri = "/x".parse().unwrap();
    assert_eq!(own_address(&headers(&[("host", "h:1")]), &uri).unwrap(), "http://h:1");
    let proxied =
        headers(&[("host", "h"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "f")]);
    assert_eq!(own_address(&proxied, &uri).unwrap(), "https://f");
    assert_eq!(
        own_address(&HeaderMap::new(), &"https://a/x".parse().unwrap()).unwrap(),
        "https://a"
    );
    assert_eq!(own_address(&HeaderMap::new(), &uri), None);
}
