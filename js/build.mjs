/**
 * Builds the modules, of a panel and of a table, and the style sheet that the Python package carries.
 *
 *   node build.mjs           once, minified; fails when the module outgrows its limit
 *   node build.mjs --watch   again at every change, with source maps
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watching = process.argv.includes("--watch");

// Front ends save the whole module with every widget of a notebook, so the size of each is a promise.
const LIMIT = 60_000;

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
  const sizes = outputFiles
    .filter(({ path }) => path.endsWith(".js"))
    .map(({ path, contents }) => ({ name: basename(path), size: contents.length }));
  for (const { name, size } of sizes.filter(({ size }) => size >= LIMIT)) {
    console.error(`${name} has ${size} bytes, the limit is ${LIMIT - 1}: take something out.`);
    process.exit(1);
  }
  for (const { path, contents } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  for (const { name, size } of sizes) console.log(`${name}: ${size} of at most ${LIMIT - 1} bytes`);
}
