//! A service of one's own that embeds the gateway: its own routes in axum, its own HTTP client.
//!
//! `API_KEYS=AIza... ACCESS_TOKENS=my-token cargo run -p balance-core --example embed`, then ask
//! `http://127.0.0.1:8100/gemini/v1/chat/completions` as you would ask the server.
//!
//! Invariant: the gateway is given all that it needs; it finds nothing by itself.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a service, unlike the core, is a place to run in"
)]

use std::{
    error::Error,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::{any, get},
};
use balance_core::{
    gateway::Gateway,
    host::{Clock, Fetch, FetchError, Payload, Random, VisitError},
    reach::Reach,
    reply::Reply,
    settings::Settings,
    time::Timestamp,
};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// What this service gives to a gateway.
#[derive(Debug)]
struct House {
    client: Client<HttpsConnector<HttpConnector>, Payload<Body>>,
}

impl House {
    fn new() -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots();
        let connector = connector.https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }
}

impl Fetch for House {
    type Incoming = Body;
    type Body = Incoming;

    async fn fetch(
        &self,
        request: http::Request<Payload<Body>>,
    ) -> Result<http::Response<Incoming>, FetchError> {
        let answer = self.client.request(request).await;
        answer.map_err(|error| FetchError::Connect(error.into()))
    }

    /// Files that requests name by their addresses are not fetched here.
    async fn visit(
        &self,
        _request: http::Request<Bytes>,
        _reach: Reach,
    ) -> Result<http::Response<Incoming>, VisitError> {
        Err(VisitError::OutOfReach)
    }
}

impl Clock for House {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Random for House {
    fn next_u64(&self) -> u64 {
        // Each state is seeded by the operating system.
        RandomState::new().hash_one(())
    }
}

/// All routes: one of this service, and the gateway under `/gemini`.
fn service(gateway: Gateway<House>) -> Router {
    let gemini = Router::new().fallback(any(ask)).with_state(Arc::new(gateway));
    Router::new()
        .route("/", get("This service has a gateway under /gemini."))
        .nest("/gemini", gemini)
}

async fn ask(State(gateway): State<Arc<Gateway<House>>>, request: Request) -> Response {
    let Reply { response, job, trail } = gateway.handle(request).await;
    println!("{} {} {:?}", response.status(), trail.route, trail.model);
    if let Some(job) = job {
        tokio::spawn(async move { gateway.run(job).await });
    }
    response.map(Body::new)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(&|name: &str| std::env::var(name).ok());
    let settings =
        settings.map_err(|wrong| wrong.iter().map(|w| format!("{w}\n")).collect::<String>())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8100").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service(Gateway::new(House::new(), settings))).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use balance_mock::{ErrorName, Mock, Rule, Setup};
    use http_body_util::BodyExt;
    use tower_service::Service;

    use super::*;

    fn routes(mock: &Mock) -> Router {
        let keys = [1, 2].map(|number| Setup::secret("good", number)).join(",");
        let value = |name: &str| match name {
            "API_KEYS" => Some(keys.clone()),
            "ACCESS_TOKENS" => Some("token".into()),
            "BASE_URL" => Some(mock.base_url().into()),
            _ => None,
        };
        service(Gateway::new(House::new(), Settings::read(&value).unwrap()))
    }

    async fn post(routes: &mut Router, path: &str, body: &'static str) -> (u16, String) {
        let request = Request::post(path).header("authorization", "Bearer token");
        let answer = routes.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn the_gateway_answers_within_a_service_of_ones_own() {
        let mock = Mock::start(Setup::good_keys(2)).await.unwrap();
        let mut routes = routes(&mock);
        mock.next(Rule::error(ErrorName::QuotaMinute));
        let chat = r#"{"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        let (status, text) = post(&mut routes, "/gemini/v1/chat/completions", chat).await;
        assert_eq!((status, text.contains("[DONE]")), (200, true), "{text}");
        assert_eq!(mock.log().len(), 2, "the second key answers");
        assert_eq!(post(&mut routes, "/gemini/v1/nothing", "{}").await.0, 404);
    }
}
