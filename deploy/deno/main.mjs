// For `deno serve` and Deno Deploy. What it imports is made by deploy/build-web.sh.
export { default } from "../../target/web/deno.mjs";
