// A panic in Rust ends the requests that are under way, each with an answer in its caller's dialect,
// and not the process: node rehearse-panic.mjs FOLDER, or the same by deno.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const load = (name) => import(pathToFileURL(join(folder, name)));
const { open } = await load("gateway.mjs");
const { rehearse_panic } = await load("gemini_balance.js");

// Upstream: silent when asked for patience, else done at once.
const done = { candidates: [{ content: { parts: [{ text: "Hello" }] }, finishReason: "STOP" }] };
globalThis.fetch = (url, { signal }) =>
  String(url).includes("slow")
    ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    : Promise.resolve(Response.json(done));

const wasm = readFileSync(join(folder, "gemini_balance_bg.wasm"));
const gateway = open(wasm, "deno", { API_KEYS: "key", OPEN_POOL: "true", LOG_LEVEL: "error" });
const ask = (model) => {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  const headers = { "content-type": "application/json", "authorization": "Bearer token" };
  return gateway.fetch(
    new Request("http://here.test/v1/chat/completions", { method: "POST", headers, body }),
  );
};

assert.equal((await ask("gemini-quick")).status, 200);
for (let round = 1; round <= 3; round++) {
  const waiting = [ask("gemini-slow"), ask("gemini-slow")];
  setTimeout(rehearse_panic, 20);
  for (const answer of await Promise.all(waiting)) {
    assert.equal(answer.status, 500);
    assert.equal((await answer.json()).error.code, "internal_error");
  }
  const next = await ask("gemini-quick");
  assert.equal(next.status, 200);
  assert.equal((await next.json()).choices[0].message.content, "Hello");
}
console.log("three panics ended six requests, each with an answer, and nothing else");
process.exit(0);
