//! What each service writes, and the request that it stands for.

use http_body_util::BodyExt;
use serde_json::json;

use super::*;

fn read(event: Value) -> (Form, Request<Full<Bytes>>) {
    let event: Event = serde_json::from_value(event).unwrap();
    (event.form(), event.into_request().unwrap())
}

fn header<'a>(request: &'a Request<Full<Bytes>>, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn an_http_api_has_its_stage_taken_off_and_told() {
    let (form, request) = read(json!({
        "version": "2.0", "rawPath": "/prod/v1beta/tunedModels/a b:generateContent",
        "rawQueryString": "x=1&x=a%20b", "cookies": ["a=1", "b=2"],
        "headers": { "host": "api.test", "x-forwarded-proto": "https" },
        "requestContext": { "stage": "prod", "http": { "method": "POST" } },
        "body": "AAH/", "isBase64Encoded": true,
    }));
    assert_eq!(form, Form::Version2);
    assert_eq!(request.uri(), "/v1beta/tunedModels/a%20b:generateContent?x=1&x=a%20b");
    assert_eq!(header(&request, "x-forwarded-prefix"), Some("/prod"));
    assert_eq!(header(&request, "cookie"), Some("a=1; b=2"));
    let body = pollster::block_on(request.into_body().collect()).unwrap().to_bytes();
    assert_eq!(body, [0, 1, 255].as_slice());
}

#[test]
fn a_function_url_has_no_stage() {
    let (_, request) = read(json!({
        "rawPath": "/health", "rawQueryString": "", "headers": {},
        "requestContext": { "stage": "$default", "http": { "method": "GET" } },
    }));
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("GET", "/health".into()));
    assert_eq!(header(&request, "x-forwarded-prefix"), None);
}

#[test]
fn a_rest_api_has_its_query_encoded_again() {
    let (form, request) = read(json!({
        "path": "/v1beta/models", "httpMethod": "GET",
        "headers": { "accept": "b" }, "multiValueHeaders": { "accept": ["a", "b"] },
        "queryStringParameters": { "pageToken": "a/b==" },
        "multiValueQueryStringParameters": { "pageToken": ["a/b=="], "$y": ["a b", ""] },
        "requestContext": { "stage": "prod", "path": "/prod/v1beta/models" },
        "body": null,
    }));
    assert_eq!(form, Form::Version1);
    assert_eq!(request.uri(), "/v1beta/models?pageToken=a%2Fb%3D%3D&%24y=a%20b&%24y=");
    assert_eq!(request.headers().get_all("accept").iter().count(), 2);
    assert_eq!(header(&request, "x-forwarded-prefix"), Some("/prod"));
}

#[test]
fn a_rest_api_behind_a_name_of_its_own_has_no_stage() {
    let (_, request) = read(json!({
        "path": "/v1/models", "httpMethod": "GET",
        "requestContext": { "stage": "prod", "path": "/v1/models" },
    }));
    assert_eq!(header(&request, "x-forwarded-prefix"), None);
}

#[test]
fn a_load_balancer_passes_its_query_on_as_it_was() {
    let query = json!({ "pageToken": "a%2Fb", "flag": "" });
    let (form, request) = read(json!({
        "path": "/v1beta/models", "httpMethod": "GET", "headers": { "host": "alb.test" },
        "queryStringParameters": query, "requestContext": { "elb": { "targetGroupArn": "arn" } },
    }));
    assert_eq!(form, Form::PlainLoadBalancer);
    assert_eq!(request.uri(), "/v1beta/models?pageToken=a%2Fb&flag");
}

#[test]
fn netlify_needs_no_context() {
    let (form, request) = read(json!({
        "path": "/v1beta/models", "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
        "rawUrl": "https://site.netlify.app/v1beta/models?x=%24", "rawQuery": "x=%24",
        "queryStringParameters": { "x": "$" }, "route": null,
    }));
    assert_eq!(form, Form::Version1);
    assert_eq!(request.uri(), "/v1beta/models?x=%24");
}

#[test]
fn an_event_that_is_none_of_http_is_refused_with_what_it_should_be() {
    let event: Event = serde_json::from_value(json!({ "source": "aws.events" })).unwrap();
    assert!(event.into_request().unwrap_err().to_string().contains("function URL"));
}
