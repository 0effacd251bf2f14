// What the platform calls: the Worker, wherever its callers are, and the object with the pool.
//
// Invariant: where the object answers, requests and answers go through the Worker as they are, without the
// module; and whatever fails on that way, the caller gets an answer in its dialect.

import module from "./build/gateway_bg.wasm";
import * as written from "./build/gateway.js";
import { open } from "../../crates/balance-js/js/instance.mjs";

// Workers have a `queueMicrotask` that takes ten times as long as a promise of the engine's own.
const done = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  done.then(task);
};

const instance = open(module, written);

/** The Worker's side of the way to the object: one for all requests of an isolate. */
let side;

export default {
  fetch(request, env, context) {
    side ??= instance.own(() => sideOf(env));
    const { door, isHere, stub } = side();
    if (!isHere) return pass(request, stub, door);
    const waitUntil = (work) => context.waitUntil(work);
    return instance.visit(request, (resolve, reject) =>
      door.answer(request, waitUntil, resolve, reject),
    );
  },
};

export class Pool {
  #pool;

  constructor(state, env) {
    this.#pool = instance.own(() => new written.Pool(state, env));
    this.#pool();
  }

  fetch(request) {
    return instance.visit(request, (resolve, reject) =>
      this.#pool().answer(request, resolve, reject),
    );
  }

  alarm() {
    return this.#pool().alarm();
  }
}

function sideOf(env) {
  const door = new written.Door(env, (call) => tell(stub(), call));
  const stub = way(env, door.object, door.location);
  return { door, isHere: door.is_here, stub };
}

/** The way to the object. Each location has an object of its own, as none ever moves. */
function way({ POOL }, name, locationHint) {
  if (!POOL) {
    return () => {
      throw new Error("the binding POOL is missing, which the project's wrangler.toml has");
    };
  }
  const id = POOL.idFromName(name);
  return () => POOL.get(id, locationHint ? { locationHint } : {});
}

async function pass(request, stub, door) {
  try {
    return await stub().fetch(request);
  } catch (error) {
    return door.unreachable(request, error);
  }
}

/** A call to the store in the object. The address is nobody's: the way leads there whatever it says. */
async function tell(object, call) {
  const answer = await object.fetch("https://pool/", { method: "POST", body: call });
  return answer.text();
}
