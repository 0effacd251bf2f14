// What the Worker is measured beside: a plain pass-through, and the same in a plain object behind a Worker.
import plain from "plain.mjs";

export class Pool {
  constructor(_state, bindings) {
    this.bindings = bindings;
  }

  fetch(request) {
    return plain.fetch(request, this.bindings);
  }
}

export default {
  fetch(request, bindings) {
    if (bindings.CLOUDFLARE_CALLS_FROM === "worker") {
      return plain.fetch(request, bindings);
    }
    return bindings.POOL.get(bindings.POOL.idFromName("plain")).fetch(request);
  },
};
