// The way into the module from any runtime with web APIs: `open` makes a gateway whose `fetch`
// answers a Request with a Response.
//
// Invariant: whatever happens in the module, every request gets an answer, and the process goes on.
//
// A panic is a trap without words, as these would be a twentieth of the module. The log tells the way
// to it, by the numbers of the functions.

import * as written from "./gemini_balance.js";
import { open as begin } from "./instance.mjs";

/** Opens a gateway: `wasm` is the module or its bytes, `place` and `variables` as in Gateway. */
export function open(wasm, place, variables) {
  const instance = begin(wasm, written);
  const gateway = instance.own(() => new written.Gateway(place, variables));
  gateway(); // so that what is wrong with the settings stands in the log now
  return {
    fetch: (request, waitUntil = () => {}) =>
      instance.visit(request, (resolve, reject) =>
        gateway().answer(request, waitUntil, resolve, reject),
      ),
  };
}
