//! The places that the module runs at, and how they differ.
//!
//! Invariant: where many instances come and go, nobody waits in a line that the next instance does
//! not know of.

use std::time::Duration;

use balance_core::place::Place;
use balance_js::host::Network;

/// The place of this name; an unknown one is some machine of somebody's own.
pub(crate) fn named(name: &str) -> (&'static Place, Network) {
    match name {
        "netlify" => (&NETLIFY, Network::Open),
        "deno-deploy" => (&DENO_DEPLOY, Network::Open),
        _ => (&OWN, Network::Own),
    }
}

const SERVERLESS: &[(&str, &str)] = &[("QUEUE_SECONDS", "0")];

const NETLIFY: Place = Place {
    settings: "on Netlify: Project configuration, Environment variables; then deploy again",
    defaults: SERVERLESS,
    // Netlify waits 40 s for the head of an answer and then says what it likes.
    longest_wait: Some(Duration::from_secs(37)),
};

const DENO_DEPLOY: Place = Place {
    settings: "on Deno Deploy: the app's Settings, Environment Variables",
    defaults: SERVERLESS,
    longest_wait: None,
};

const OWN: Place = Place {
    settings: "in the environment of the process; then start it again",
    defaults: &[],
    longest_wait: None,
};
