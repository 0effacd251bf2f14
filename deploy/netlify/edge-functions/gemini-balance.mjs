// Answers every path of the site, by netlify.toml. What it imports is made by deploy/build-web.sh.
export { default } from "../../../target/web/netlify.mjs";
