// Node: `node node.mjs` listens on HOST and PORT.
//
// Invariant: a client that hangs up aborts its request, or cancels the body of its answer.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { open } from "./gateway.mjs";

const wasm = readFileSync(new URL("./gemini_balance_bg.wasm", import.meta.url));
const gateway = open(wasm, "node", process.env);

const server = createServer(async (incoming, outgoing) => {
  const leaving = new AbortController();
  outgoing.on("close", () => outgoing.writableFinished || leaving.abort());
  try {
    await send(await gateway.fetch(requestOf(incoming, leaving.signal)), outgoing);
  } catch (error) {
    if (!leaving.signal.aborted) console.error(error);
    outgoing.destroy();
  }
});
server.requestTimeout = 0; // an upload takes as long as it takes
server.listen(Number(process.env.PORT ?? 8000), process.env.HOST ?? "0.0.0.0", () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});

/** A Node request as one of the web. */
function requestOf(incoming, signal) {
  const { method, url, rawHeaders } = incoming;
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index], rawHeaders[index + 1]]);
  }
  const address = new URL(url, `http://${incoming.headers.host ?? "localhost"}`);
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? Readable.toWeb(incoming) : undefined;
  return new Request(address, { method, headers, body, signal, duplex: "half" });
}

/** Sends a response of the web, piece by piece, as fast as the client takes it. */
async function send(response, outgoing) {
  const headers = [...response.headers].flat();
  outgoing.writeHead(response.status, headers);
  if (!response.body) return outgoing.end();
  const reader = response.body.getReader();
  outgoing.on("close", () => reader.cancel().catch(() => {}));
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (!outgoing.write(piece.value)) {
      await new Promise((resolve) => outgoing.once("drain", resolve).once("close", resolve));
    }
  }
  outgoing.end();
}
