/**
 * What the package weighs in an application: minified and Brotli-compressed, every dependency included.
 * Run on dist, which is what is published; `npm run check` builds it first.
 */
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import * as esbuild from "esbuild";
import { root } from "./entries.mjs";

/**
 * @typedef {object} Bundle
 * @property {string} name
 * @property {string} code what an application imports
 * @property {number} budget what it should weigh at most, in bytes
 * @property {number} [ceiling] where it weighs more than that: what it weighs now, rounded up. Fails above it; lowered with every cut,
 *   raised only for what users get for it, with a line in docs/decisions/bundle-size.md.
 * @property {readonly string[]} without packages that must not come along
 */

const kB = 1000;

/** @type {readonly Bundle[]} */
export const bundles = [
  {
    name: "client, IndexedDB, HTTP",
    code: `export { createSyncClient, defineCollection, http, isTillSyncError } from "tillsync";
           export { indexedDB } from "tillsync/storage/indexeddb";`,
    budget: 25 * kB,
    ceiling: 58 * kB,
    without: ["zod", "hono", "libsql"],
  },
  {
    name: "protocol",
    code: `export * from "tillsync/protocol";`,
    budget: 12 * kB,
    without: ["ky", "idb", "eventemitter3"],
  },
  {
    name: "memory storage",
    code: `export { memory } from "tillsync/storage/memory";`,
    budget: 4 * kB,
    without: ["zod", "ky", "idb", "eventemitter3"],
  },
  {
    // A module that holds an error class and a schema would drag zod into everything that catches an error. (eventemitter3
    // doesn't declare itself free of side effects, so a bundler keeps it: 1 KB.)
    name: "isTillSyncError alone",
    code: `export { isTillSyncError } from "tillsync";`,
    budget: 2 * kB,
    without: ["zod", "ky", "idb"],
  },
];

/**
 * @param {Bundle} bundle
 * @returns {Promise<{ name: string, bytes: number, budget: number, limit: number, unwanted: string[] }>} `limit`: what it may not pass
 */
export async function measure({ name, code, budget, ceiling, without }) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    metafile: true,
    write: false,
    logLevel: "silent",
    // The paths of tsconfig.json would lead to src.
    tsconfigRaw: {},
  });
  const [output] = Object.values(metafile.outputs);
  const kept = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const unwanted = without.filter((dependency) => kept.some(([path]) => path.includes(`node_modules/${dependency}/`)));
  const bytes = brotliCompressSync(outputFiles[0]?.contents ?? new Uint8Array()).length;
  return { name, bytes, budget, limit: ceiling ?? budget, unwanted };
}

/** @param {number} bytes */
const inKB = (bytes) => `${(bytes / kB).toFixed(1)} KB`.padStart(8);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const bundle of bundles) {
    const { name, bytes, budget, limit, unwanted } = await measure(bundle);
    const faults = [
      ...(bytes > limit ? [`over ${inKB(limit).trim()}`] : []),
      ...unwanted.map((dependency) => `contains ${dependency}`),
    ];
    const note = bytes > budget ? ["over budget"] : [];
    console.log(`${name.padEnd(24)} ${inKB(bytes)} of ${inKB(budget)}  ${[...note, ...faults].join(", ")}`.trimEnd());
    if (faults.length > 0) process.exitCode = 1;
  }
}
