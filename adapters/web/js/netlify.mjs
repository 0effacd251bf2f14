// Netlify Edge Functions. The bundler there takes JavaScript only, so the module comes as text.

import { open } from "./gateway.mjs";
import base64 from "./wasm_base64.mjs";

const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const variables = (globalThis.Netlify ?? globalThis.Deno).env.toObject();
const gateway = open(bytes, "netlify", variables);

export default (request, context) =>
  gateway.fetch(request, (work) => context?.waitUntil?.(work));
