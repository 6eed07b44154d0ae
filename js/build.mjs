/**
 * Builds the modules, of a panel and of a table, and the style sheet that the Python package carries.
 *
 *   node build.mjs           once, minified and packed; fails when a module outgrows its limits
 *   node build.mjs --watch   again at every change, with source maps
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watching = process.argv.includes("--watch");

// Front ends save the whole module with every widget of a notebook, so what travels is packed, and both
// sizes are promises.
const MINIFIED = 60_000;
const PACKED = 40_000;

/** A module that unpacks `code` and is what that is. */
function packed(code) {
  const text = deflateRawSync(code, { level: 9 }).toString("base64");
  return `// qjob_widgets: minified and deflated; its source is js/src of the repository.
const bytes=Uint8Array.from(atob("${text}"),(letter)=>letter.charCodeAt(0));
const stream=new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
const url=URL.createObjectURL(new Blob([await new Response(stream).blob()],{type:"text/javascript"}));
const{default:widget}=await import(/* @vite-ignore */url);
URL.revokeObjectURL(url);
export default widget;
`;
}

function refuse(name, size, limit) {
  if (size < limit) return;
  console.error(`${name} has ${size} bytes, the limit is ${limit - 1}: take something out.`);
  process.exit(1);
}

const options = {
  absWorkingDir: here("."),
  entryPoints: [
    { in: "src/index.ts", out: "panel" },
    { in: "src/jobs.ts", out: "table" },
    { in: "src/styles/index.css", out: "panel" },
  ],
  outdir: here("../qjob_widgets/widgets/static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  minify: !watching,
  sourcemap: watching ? "inline" : false,
  legalComments: "none",
  logLevel: "info",
};

if (watching) {
  await (await esbuild.context(options)).watch();
} else {
  // Nothing is written when the limit is passed: a fresh file would count as a good build next time.
  const { outputFiles } = await esbuild.build({ ...options, write: false });
  const files = outputFiles.map(({ path, contents }) => {
    if (!path.endsWith(".js")) return { path, contents };
    const module = packed(contents);
    const name = basename(path);
    refuse(`${name}, minified,`, contents.length, MINIFIED);
    refuse(name, module.length, PACKED);
    console.log(`${name}: ${contents.length} bytes minified, ${module.length} packed`);
    return { path, contents: module };
  });
  for (const { path, contents } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
}
