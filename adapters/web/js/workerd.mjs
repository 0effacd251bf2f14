// workerd, and Cloudflare Workers without a Durable Object: each isolate has a pool of its own.

import { open } from "./gateway.mjs";
import wasm from "./gemini_balance_bg.wasm";

let gateway;

export default {
  fetch(request, variables, context) {
    gateway ??= open(wasm, "workerd", variables);
    return gateway.fetch(request, (work) => context.waitUntil(work));
  },
};
