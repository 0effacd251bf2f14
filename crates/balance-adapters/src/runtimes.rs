//! All runtimes, in the order of the table.
//!
//! Invariant: a runtime is one row here and one module below, and appears nowhere else.

mod cloudflare;
mod lambda;
mod standalone;
mod vercel;
mod web;

use crate::runtime::{Proof, Runtime};

pub(crate) const RUNTIMES: &[Runtime] = &[
    standalone::BINARY,
    lambda::FUNCTION_URL,
    lambda::HTTP_API,
    lambda::REST_API,
    lambda::LOAD_BALANCER,
    lambda::NETLIFY,
    lambda::EMULATOR,
    vercel::BUILD,
    vercel::DEVELOP,
    cloudflare::WORKERD,
    cloudflare::WORKERD_WORKER,
    cloudflare::WRANGLER,
    web::DENO,
    web::NETLIFY,
    web::NODE,
    web::BUN,
];

/// What single runtimes must show beside the scenarios.
pub(crate) const PROOFS: &[&[Proof]] = &[
    lambda::packing::ALL,
    vercel::output::ALL,
    cloudflare::proofs::ALL,
    cloudflare::overhead::ALL,
    cloudflare::shared::ALL,
    web::proofs::ALL,
];
