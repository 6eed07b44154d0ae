/**
 * Builds the modules, of a panel and of a table, and the style sheet that the Python package carries.
 *
 *   node build.mjs           once, minified and packed; fails when a module outgrows its limits
 *   node build.mjs --watch   again at every change, with source maps
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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

// Names of our own that are made short, which saves more than 2,000 bytes. None that Python or the browser
// knows, and none that is looked up by its text: the build refuses what it can see of that. `current` and
// `props` are Preact's as well, which is built in, so both call them the same.
const OWN = `
  across active again asking attempt cell charted chosen clean columns commands compute confirms countsOf
  current deaf dispose down drop ended expanded face forget grows handle heard hint inState isFiltered isOpen
  isPending isRerunnable isTold kernelNow listen lost named names notifier noun onPress opened order outdated
  parts peek pending place point prefix press pressed props reading receive retag selectAll selectNone
  settle several showAll shown sortBy sources stale statuses store subs tagsOf tell tells time timer
  toggleStatus trait version visible what
`
  .trim()
  .split(/\s+/);

function refuseForeign(code) {
  const protocol = ["protocol.ts", "jobs_protocol.ts"].map((name) =>
    readFileSync(here(`src/${name}`), "utf8"),
  );
  const foreign = OWN.filter(
    (name) =>
      protocol.some((text) => new RegExp(`^ *${name}\\??:`, "m").test(text)) ||
      new RegExp(`["'\`]${name}["'\`]`).test(code),
  );
  if (foreign.length === 0) return;
  console.error(`These names cannot be made short, something asks for them by their text: ${foreign}.`);
  process.exit(1);
}

/**
 * A module that unpacks `code` and is what that is. Front ends evaluate it for every model; the first one
 * unpacks for all of the page. Nothing of it passes through a stream of another process, which takes longest.
 * Nobody waits for it but views: anywidget gives a model two seconds to be made, and tells one that took longer
 * nothing any more.
 */
function packed(code) {
  const text = deflateRawSync(code, { level: 9 }).toString("base64");
  const key = `qjob_widgets ${createHash("sha256").update(code).digest("hex").slice(0, 16)}`;
  return `// qjob_widgets: minified and deflated; its source is js/src of the repository.
async function unpack(){
const bytes=Uint8Array.from(atob("${text}"),(letter)=>letter.charCodeAt(0));
const stream=new DecompressionStream("deflate-raw");
const writer=stream.writable.getWriter();
writer.write(bytes);
writer.close();
const url=URL.createObjectURL(new Blob([await new Response(stream.readable).text()],{type:"text/javascript"}));
try{return await import(/* @vite-ignore */url)}finally{URL.revokeObjectURL(url)}
}
const unpacked=(globalThis["${key}"]??=unpack());
export default()=>{
const made=unpacked.then((module)=>module.default());
return{
initialize(told){const ended=made.then((widget)=>widget.initialize(told));return()=>ended.then((end)=>end())},
async render(told){return(await made).render(told)}
};
};
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
  const plain = await esbuild.build({ ...options, write: false, logLevel: "error" });
  for (const { path, text } of plain.outputFiles) if (path.endsWith(".js")) refuseForeign(text);
  const mangleProps = new RegExp(`^(${OWN.join("|")})$`);
  const { outputFiles } = await esbuild.build({ ...options, write: false, mangleProps });
  const files = outputFiles.map(({ path, contents: built, text }) => {
    if (!path.endsWith(".js")) return { path, contents: built };
    // Once more: names are given by how often they are used, which the first time only estimates.
    const { code } = esbuild.transformSync(text, {
      minify: true,
      format: "esm",
      target: "es2022",
      charset: "utf8",
    });
    const contents = Buffer.from(code);
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
