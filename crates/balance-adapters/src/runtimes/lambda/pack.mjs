// Packs a program as Netlify packs a function, and looks what is in the package:
// node pack.mjs NODE_MODULES PROGRAM FOLDER

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, program, folder] = process.argv.slice(2);
const packer = join(modules, "@netlify/zip-it-and-ship-it/dist/main.js");
const { zipFunctions } = await import(pathToFileURL(packer));

const [functions, packages] = ["functions", "packages"].map((name) => join(folder, name));
mkdirSync(functions);
copyFileSync(program, join(functions, "gemini-balance"));
const packed = await zipFunctions(functions, packages);
assert.deepEqual(packed.map(({ name, runtime }) => [name, runtime]), [["gemini-balance", "rs"]]);
execFileSync("python3", ["-m", "zipfile", "-e", packed[0].path, packages]);
assert.ok(readFileSync(join(packages, "bootstrap")).equals(readFileSync(program)));
