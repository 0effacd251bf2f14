// The way into the module from any runtime with web APIs: `open` makes a gateway whose `fetch`
// answers a Request with a Response.
//
// Invariant: a panic in Rust ends the requests that were under way, each with an answer, and nothing
// else: the module begins anew for those that come after.
//
// A panic is a trap without words, as these would be a twentieth of the module. The log tells the way
// to it, by the numbers of the functions.

import { __wbg_reset_state, apologize, Gateway, initSync } from "./gemini_balance.js";

/** Opens a gateway: `wasm` is the module or its bytes, `place` and `variables` as in Gateway. */
export function open(wasm, place, variables) {
  let gateway;
  const underWay = new Set();
  begin(() => initSync({ module: wasm }));
  holdOnTo(globalThis);

  function begin(instantiate) {
    watched(instantiate, end);
    gateway = new Gateway(place, variables);
  }

  function end(trap) {
    if (!gateway) return;
    console.error(`Gemini Balance panicked and begins anew: ${trap.stack}`);
    gateway = undefined;
    queueMicrotask(revive);
  }

  function revive() {
    if (gateway) return;
    begin(__wbg_reset_state);
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

/**
 * Makes an instance of the module that tells of its trap before it throws it on. What wasm-bindgen wrote makes
 * the instance, and takes no other way to make it than the runtime's; so that is ours meanwhile.
 */
function watched(instantiate, end) {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const watch = ([name, it]) => [name, typeof it === "function" ? guarded(it, end) : it];
    const { exports } = new Instance(module, imports);
    return { exports: Object.fromEntries(Object.entries(exports).map(watch)) };
  };
  try {
    instantiate();
  } finally {
    WebAssembly.Instance = Instance;
  }
}

function guarded(call, end) {
  return (...values) => {
    try {
      return call(...values);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) end(error);
      throw error;
    }
  };
}

/** What an ended instance throws into the runtime must not end the process. */
function holdOnTo(runtime) {
  const isOurs = (error) =>
    error instanceof WebAssembly.RuntimeError ||
    /previous wasm instance/i.test(error?.message ?? "");
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
