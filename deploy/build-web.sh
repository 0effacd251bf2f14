#!/bin/sh
# Makes target/web, the module for Deno, Netlify and Node: taken from the newest release of the
# repository that is deployed, if it has one, else built here, with Rust installed if need be.
set -eu
cd "$(dirname "$0")/.."

bundle="${REPOSITORY_URL:-none}/releases/latest/download/gemini-balance-web.tar.gz"
if [ "${REPOSITORY_URL:-}" ] && curl -fsSL "$bundle" -o gemini-balance-web.tar.gz; then
    mkdir -p target/web
    tar -xzf gemini-balance-web.tar.gz -C target/web
    exit
fi

if ! command -v cargo >/dev/null; then
    curl -fsSL https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
    . "$HOME/.cargo/env"
fi
cargo xtask web
