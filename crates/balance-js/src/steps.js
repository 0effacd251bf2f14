// What takes several steps in JavaScript, each in one call of Rust's; and the promises that Rust waits for.
//
// Invariant: a promise is told to the instance of the module that waits for it, even if another one has taken
// its place meanwhile.

let ear; // of the instance that runs: what is told, what is brought, what is thrown

/** Lets an instance hear what it waits for. */
export function listen(told, brought, thrown) {
  ear = { told, brought, thrown };
}

/** Tells what becomes of a promise, under a number. */
export function follow(promise, number) {
  const { told, thrown } = ear;
  promise.then((value) => told(number, "", value), (error) => thrown(number, error));
}

/** Brings the whole body of a request or a response. */
export function bring(message, number) {
  const { brought, thrown } = ear;
  message.arrayBuffer().then(
    (buffer) => brought(number, new Uint8Array(buffer)),
    (error) => thrown(number, error),
  );
}

/** Sends a request, tells its response with its head, and gives what aborts it. */
export function send(head, body, number) {
  const { told, thrown } = ear;
  const controller = new AbortController();
  const [url, method, ...fields] = head.split("\n");
  // An answer is passed on as it is, redirections too.
  const init = { method, headers: headersOf(fields), body, signal: controller.signal, redirect: "manual" };
  // Wanted with every stream, and the only way there is.
  if (body instanceof ReadableStream) init.duplex = "half";
  fetch(url, init).then(
    (response) => told(number, lines(`${response.status}`, response.headers), response),
    (error) => thrown(number, error),
  );
  return controller;
}

/** The head of a request. */
export function head(request) {
  return lines(`${request.method}\n${request.url}`, request.headers);
}

/** A response with a body that is there. */
export function respond(head, body) {
  const [status, ...fields] = head.split("\n");
  return new Response(body, { status: Number(status), headers: headersOf(fields) });
}

/** A stream of pieces, each of which is asked for when it is wanted. */
export function stream(pieces) {
  const source = {
    async pull(controller) {
      const piece = await pieces.next();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
    cancel: () => pieces.leave(),
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

// A head crosses in lines: what begins it, and then names and values in turn. None can have a line's end.

function lines(head, headers) {
  headers.forEach((value, name) => {
    head += `\n${name}\n${value}`;
  });
  return head;
}

/** As an object, which platforms take in less time than pairs; unless a name stands several times in a row. */
function headersOf(fields) {
  const headers = {};
  let last;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index];
    if (name === last || name === "__proto__") return pairs(fields); // which no object has as a name
    headers[name] = fields[index + 1];
    last = name;
  }
  return headers;
}

function pairs(fields) {
  const headers = [];
  for (let index = 0; index < fields.length; index += 2) {
    headers.push([fields[index], fields[index + 1]]);
  }
  return headers;
}
