//! The core asks nowhere for `Send`; that this host makes its futures so is seen here, near to
//! where it could be lost, and not first where an adapter spawns them.

use balance_core::{gateway::Gateway, job::Job};
use balance_tokio::TokioHost;
use http::Request;
use hyper::body::Incoming;

use crate::{host, settings};

fn is_send<T: Send>(value: T) -> T {
    value
}

async fn answer(
    gateway: &Gateway<TokioHost>,
    request: Request<Incoming>,
) -> Option<Job<balance_tokio::Body>> {
    is_send(is_send(gateway.handle(request)).await).job
}

async fn run(gateway: &Gateway<TokioHost>, job: Job<balance_tokio::Body>) {
    is_send(gateway.run(job)).await;
}

#[test]
fn a_gateway_and_its_futures_go_from_thread_to_thread() {
    let _compiled = (answer, run);
    let gateway = std::sync::Arc::new(Gateway::new(host(&[]), settings(&[])));
    std::thread::spawn(move || drop(gateway)).join().unwrap();
}
