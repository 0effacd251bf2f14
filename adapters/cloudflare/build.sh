#!/bin/sh
# Builds the module that worker.mjs brings into adapters/cloudflare/build: what `wrangler deploy` runs first, on
# any machine. What is missing of Rust, its WebAssembly target and wasm-bindgen is installed; npx brings wasm-opt.
set -eu
cd "$(dirname "$0")"

version=0.2.130 # of wasm-bindgen; as in the root Cargo.toml

if ! command -v cargo >/dev/null 2>&1; then
    if [ ! -x "$HOME/.cargo/bin/cargo" ]; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
    fi
    PATH="$HOME/.cargo/bin:$PATH"
fi

if [ ! -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then
    rustup target add wasm32-unknown-unknown
fi

if [ -z "${WASM_BINDGEN_BIN:-}" ]; then
    tools="../../target/wasm-bindgen-$version"
    WASM_BINDGEN_BIN="$tools/bin/wasm-bindgen"
    install() {
        cargo install --quiet --version "$version" --root "$tools" --bin wasm-bindgen wasm-bindgen-cli "$@"
    }
    # Versions that its authors locked may be missing in a registry.
    [ -x "$WASM_BINDGEN_BIN" ] || install --locked || install
fi

cargo build --locked --profile worker --target wasm32-unknown-unknown --package balance-cloudflare
built="${CARGO_TARGET_DIR:-../../target}/wasm32-unknown-unknown/worker/balance_cloudflare.wasm"
"$WASM_BINDGEN_BIN" --target web --no-typescript --experimental-reset-state-function \
    --out-dir build --out-name gateway "$built"

# The version of binaryen is that of package.json.
optimize() {
    if [ -n "${WASM_OPT_BIN:-}" ]; then
        "$WASM_OPT_BIN" "$@"
    else
        npx --yes --package binaryen@132.0.0 -- wasm-opt "$@"
    fi
}
optimize -O3 --enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int \
    --enable-reference-types --enable-sign-ext --strip-debug --strip-producers \
    build/gateway_bg.wasm -o build/gateway_bg.wasm
