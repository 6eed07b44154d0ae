/**
 * Pictures of the panel in every state, for people to look at.
 *
 *   npm run gallery                    into gallery/, all of them
 *   npm run gallery -- DIR running     into DIR, those whose name begins with "running"
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { chromium } from "playwright";

const [folder = "gallery", only = ""] = process.argv.slice(2);
const WIDTHS = [700, 1400];
const GROUNDS = { light: "#fff", dark: "#16181f" };

const { outputFiles } = await esbuild.build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["test/gallery.ts", "src/styles/index.css"],
  outdir: "out",
  bundle: true,
  format: "iife",
  write: false,
});
const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
for (const [theme, ground] of Object.entries(GROUNDS)) {
  for (const width of WIDTHS) {
    const page = await browser.newPage({ viewport: { width, height: 760 }, colorScheme: theme });
    await page.setContent(
      `<!doctype html><meta charset="utf-8"><style>${text(".css")}
       body{margin:14px;color-scheme:${theme};background:${ground};--jp-layout-color0:${ground}}</style><body>`,
    );
    await page.addScriptTag({ content: text(".js") });
    for (const scene of await page.evaluate(() => window.scenes)) {
      if (!scene.startsWith(only)) continue;
      await page.evaluate((name) => window.show(name), scene);
      // A panel notices within a second that nothing is heard.
      await page.waitForTimeout(scene.startsWith("lost") ? 1500 : 250);
      const name = `${scene.replaceAll(" ", "-")}-${theme}-${width}.png`;
      await page.locator(".qjob-panel").screenshot({ path: join(folder, name) });
    }
    await page.close();
  }
}
await browser.close();
