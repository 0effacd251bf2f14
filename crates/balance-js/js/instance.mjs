// An instance of the module, and another one in its place after a trap.
//
// Invariant: a trap in Rust ends the requests that were under way, each with an answer, and nothing else: the
// module begins anew for those that come after.

/**
 * Begins the module, as WebAssembly has it or as its bytes, by what wasm-bindgen wrote for it. That has to export
 * `apologize`, which answers a request that a trap ended.
 */
export function open(module, { initSync, __wbg_reset_state, apologize }) {
  let works = false;
  let number = 0; // of the instance
  const underWay = new Set();
  begin(() => initSync({ module }));
  holdOnTo(globalThis);

  function begin(instantiate) {
    watched(instantiate, end);
    works = true;
    number += 1;
  }

  function end(trap) {
    if (!works) return;
    works = false;
    console.error(`Gemini Balance panicked and begins anew: ${trap.stack}`);
    queueMicrotask(revive);
  }

  function revive() {
    if (works) return;
    begin(__wbg_reset_state);
    const interrupted = [...underWay];
    underWay.clear();
    for (const resolve of interrupted) resolve();
  }

  return {
    /** Gives what is asked for what `make` makes in each instance anew. */
    own(make) {
      let made;
      let madeIn = 0;
      return () => {
        revive();
        if (madeIn !== number) {
          made = make();
          madeIn = number;
        }
        return made;
      };
    },

    /** Answers a request by what `ask` lets the module resolve or reject. */
    async visit(request, ask) {
      const answer = await new Promise((resolve, reject) => {
        underWay.add(resolve);
        const over = (settle) => (value) => {
          underWay.delete(resolve);
          settle(value);
        };
        try {
          ask(over(resolve), over(reject));
        } catch (error) {
          if (works) reject(error); // else it is answered when the module begins anew
        }
      });
      return answer ?? apologize(request);
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
