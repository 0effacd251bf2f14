// Deno, on a server of one's own (`deno serve --allow-net --allow-env --allow-read deno.mjs`) and on
// Deno Deploy; and Bun (`bun deno.mjs`).

import { open } from "./gateway.mjs";

const address = new URL("./gemini_balance_bg.wasm", import.meta.url);
const wasm = await WebAssembly.compile(await (await fetch(address)).arrayBuffer());
const variables = globalThis.Deno ? Deno.env.toObject() : process.env;
const isDeploy = variables.DENO_DEPLOYMENT_ID !== undefined || variables.DENO_DEPLOY !== undefined;

const gateway = open(wasm, isDeploy ? "deno-deploy" : "deno", variables);

// What Deno tells beside the request is not needed; work goes on here without anybody being told.
// Bun would hang up on who hears nothing for ten seconds.
export default { fetch: (request) => gateway.fetch(request), idleTimeout: 0 };
