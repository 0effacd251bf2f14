#!/bin/sh
# Builds the Worker into adapters/cloudflare/build: what `wrangler deploy` runs first, on any machine. What is
# missing of Rust, its WebAssembly target and worker-build is installed.
#
# The arguments are worker-build's; none is as it is shipped.
set -eu
cd "$(dirname "$0")"

version=0.8.7 # of worker-build; as in xtask/src/cloudflare.rs

if ! command -v cargo >/dev/null 2>&1; then
    if [ ! -x "$HOME/.cargo/bin/cargo" ]; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
    fi
    PATH="$HOME/.cargo/bin:$PATH"
fi

if [ ! -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then
    rustup target add wasm32-unknown-unknown
fi

if [ -z "${WORKER_BUILD:-}" ]; then
    tools="../../target/worker-build-$version"
    WORKER_BUILD="$tools/bin/worker-build"
    if [ ! -x "$WORKER_BUILD" ]; then
        cargo install --quiet --locked --version "$version" --root "$tools" worker-build
    fi
fi

if [ $# -eq 0 ]; then
    set -- --profile wasm
fi
"$WORKER_BUILD" "$@"
