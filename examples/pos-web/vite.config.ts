/** How the page is built. `tillsync` is the source beside it; nothing comes from the network. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { publicEntries, root } from "../../scripts/entries.mjs";

const folder = `${root}examples/pos-web`;
const WORKER = "sw.js";

export default defineConfig({
  root: folder,
  logLevel: "warn",
  resolve: {
    alias: publicEntries().map(({ specifier, source }) => ({
      find: new RegExp(`^${specifier}$`),
      replacement: root + source,
    })),
  },
  plugins: [fillWorker()],
  build: {
    target: "es2022",
    // The page's policy allows no inline scripts, and the polyfill would be one.
    modulePreload: { polyfill: false },
    // Data URLs would need exceptions in the policy, too.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { page: `${folder}/index.html`, sw: `${folder}/sw.ts` },
      output: { entryFileNames: ({ name }) => (name === "sw" ? WORKER : "assets/[name]-[hash].js") },
    },
  },
});

/** Tells the service worker which files the page has. */
function fillWorker(): Plugin {
  return {
    name: "pos-web:worker",
    enforce: "post",
    generateBundle(_, bundle) {
      const contents = new Map<string, string | Uint8Array>(
        readdirSync(`${folder}/public`).map((name) => [`/${name}`, readFileSync(`${folder}/public/${name}`)]),
      );
      for (const output of Object.values(bundle)) {
        if (output.fileName === WORKER) continue;
        contents.set(`/${output.fileName}`, output.type === "chunk" ? output.code : output.source);
      }
      const files = [...contents.keys()].sort();
      const digest = createHash("sha256");
      for (const file of files) digest.update(file).update(contents.get(file) ?? "");
      const worker = bundle[WORKER];
      if (worker?.type !== "chunk" || !/(["'`])__PAGE__\1/.test(worker.code)) {
        this.error(`Expected ${WORKER} with a place for the page's files, got none`);
      }
      const text = JSON.stringify({ version: digest.digest("hex").slice(0, 16), files });
      worker.code = worker.code.replace(/(["'`])__PAGE__\1/, () => JSON.stringify(text));
    },
  };
}
