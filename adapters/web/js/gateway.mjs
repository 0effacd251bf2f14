// The way into the module from any runtime with web APIs: `open` makes a gateway whose `fetch`
// answers a Request with a Response.
//
// Invariant: a panic in Rust ends the requests that were under way, each with an answer, and nothing
// else: the module begins anew for those that come after.

import { __wbg_reset_state, apologize, Gateway, initSync } from "./gemini_balance.js";

/** Opens a gateway: `wasm` is the module or its bytes, `place` and `variables` as in Gateway. */
export function open(wasm, place, variables) {
  initSync({ module: wasm });
  let gateway = new Gateway(place, variables);
  const underWay = new Set();

  // Called by the panic itself, inside the instance that is about to end.
  globalThis.geminiBalancePanicked = (message) => {
    console.error(`Gemini Balance: ${message}`);
    gateway = undefined;
    queueMicrotask(revive);
  };
  holdOnTo(globalThis);

  function revive() {
    if (gateway) return;
    __wbg_reset_state();
    gateway = new Gateway(place, variables);
    const interrupted = [...underWay];
    underWay.clear();
    for (const { request, resolve } of interrupted) resolve(apologize(request));
  }

  return {
    fetch(request, waitUntil = () => {}) {
      revive();
      return new Promise((resolve, reject) => {
        const visit = { request, resolve };
        underWay.add(visit);
        const over = (settle) => (value) => {
          underWay.delete(visit);
          settle(value);
        };
        gateway.answer(request, waitUntil, over(resolve), over(reject));
      });
    },
  };
}

/** What an ended instance throws into the runtime must not end the process. */
function holdOnTo(runtime) {
  const isOurs = (error) =>
    error instanceof WebAssembly.RuntimeError ||
    /previous (wasm|WASM) instance/.test(error?.message ?? "");
  if (runtime.process?.on && !runtime.Deno) {
    const other = (error) => {
      if (isOurs(error)) return;
      console.error(error);
      runtime.process.exit(1);
    };
    runtime.process.on("uncaughtException", other).on("unhandledRejection", other);
  } else if (runtime.addEventListener) {
    const hold = (event) => isOurs(event.error ?? event.reason) && event.preventDefault();
    runtime.addEventListener("error", hold);
    runtime.addEventListener("unhandledrejection", hold);
  }
}
