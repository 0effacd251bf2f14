// Bundles the Edge Function as Netlify does, into the folder that is named, and unpacks it there with
// a way in for `deno serve`: node bundle-netlify.mjs NODE_MODULES ROOT FOLDER
//
// Invariant: what runs is what the bundler took in, and nothing else of the checkout.

import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, root, folder] = process.argv.slice(2);
const bundler = join(modules, "@netlify/edge-bundler/dist/node/index.js");
const { bundle } = await import(pathToFileURL(bundler));

rmSync(folder, { recursive: true, force: true });
const { manifest } = await bundle(
  [join(root, "deploy/netlify/edge-functions")],
  folder,
  [{ function: "gemini-balance", path: "/*" }], // as in netlify.toml
  {
    basePath: root,
    cacheDirectory: join(folder, "cache"),
    featureFlags: { edge_bundler_generate_tarball: true },
  },
);
if (manifest.routes.length !== 1) throw new Error("the function has no route");
const { asset } = manifest.bundles.find(({ format }) => format === "tar");
execFileSync("tar", ["-xzf", join(folder, asset), "-C", folder]);
writeFileSync(
  join(folder, "serve.mjs"),
  `import answer from "./deploy/netlify/edge-functions/gemini-balance.mjs";
export default { fetch: (request) => answer(request, { waitUntil() {} }) };
`,
);
