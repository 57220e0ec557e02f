/**
 * The arrows of the house. Rules are pure functions of the sources, so that they can be tried on houses that break them.
 *
 *   shared ← { protocol, schema } ← conflict ← { client, server } ← testing
 *   client:  ports ← { types, state } ← decide ← scripts ← store ← sync ← tab ← app ← client.ts            ports ← platform ← client.ts
 *            client/ports ← { storage/*, transport }            all of a till ← index.ts
 *   server:  { ports, policy-types } ← decide/rows ← decide/operation ← decide ← tokens ← service ← { http, admin } ← server.ts
 *            decide/rows ← { problems, options } ← service            problems ← tokens
 *            server/ports ← server/sql ← { server/sqlite, server/postgres }        server ← server/hono
 */
import { builtinModules } from "node:module";
import { type Import, readSource, type SourceFile } from "./source-file.ts";

/** The sources, read once for all rules. */
export interface House {
  readonly files: readonly SourceFile[];
  readonly byPath: ReadonlyMap<string, SourceFile>;
}

/** @param sources path from the project's root → source text */
export function readHouse(sources: ReadonlyMap<string, string>): House {
  const files = [...sources].map(([path, text]) => readSource(path, text));
  return { files, byPath: new Map(files.map((file) => [file.path, file])) };
}

export interface Rule {
  readonly title: string;
  /** One line for each offence, which begins with the offender. */
  readonly offences: (house: House) => readonly string[];
}

interface Layer {
  readonly name: string;
  /** The layers it may import besides itself. */
  readonly imports: readonly string[] | "any";
}

const common = ["shared", "protocol", "schema", "conflict"];
const rooms = (...names: readonly string[]) => names.map((name) => `client/${name}`);
const serverRooms = (...names: readonly string[]) => names.map((name) => `server/${name}`);

/** A file belongs to the layer with the longest name that its path begins with. */
const layers: readonly Layer[] = [
  { name: "shared", imports: [] },
  { name: "protocol", imports: ["shared"] },
  { name: "schema", imports: ["shared"] },
  { name: "conflict", imports: ["shared", "protocol", "schema"] },

  { name: "client/ports", imports: common },
  { name: "client/types", imports: [...common, "client/ports"] },
  { name: "client/state", imports: [...common, "client/ports"] },
  { name: "client/decide", imports: [...common, ...rooms("ports", "types", "state")] },
  { name: "client/scripts", imports: [...common, ...rooms("ports", "state", "decide")] },
  { name: "client/store", imports: [...common, ...rooms("ports", "state", "decide", "scripts")] },
  { name: "client/sync", imports: [...common, ...rooms("ports", "state", "decide", "scripts", "store")] },
  {
    name: "client/tab",
    imports: [...common, ...rooms("ports", "types", "state", "decide", "scripts", "store", "sync")],
  },
  {
    name: "client/app",
    imports: [...common, ...rooms("ports", "types", "state", "decide", "scripts", "store", "tab")],
  },
  { name: "client/platform", imports: [...common, "client/ports"] },
  {
    name: "client",
    imports: [...common, ...rooms("ports", "types", "decide", "scripts", "store", "sync", "tab", "app", "platform")],
  },
  { name: "storage", imports: ["shared", "protocol", "schema", "client/ports"] },
  { name: "storage/indexeddb", imports: ["shared", "protocol", "schema", "client/ports", "storage"] },
  { name: "storage/memory", imports: ["shared", "protocol", "schema", "client/ports", "storage"] },
  { name: "transport", imports: ["shared", "protocol", "schema", "client/ports"] },
  {
    name: "index.ts",
    imports: [...common, "client", ...rooms("ports", "types"), "storage/indexeddb", "transport"],
  },

  { name: "server/ports", imports: common },
  { name: "server/policy-types.ts", imports: common },
  { name: "server/decide/rows", imports: [...common, ...serverRooms("ports", "policy-types.ts")] },
  { name: "server/decide/operation", imports: [...common, ...serverRooms("ports", "policy-types.ts", "decide/rows")] },
  {
    name: "server/decide",
    imports: [...common, ...serverRooms("ports", "policy-types.ts", "decide/rows", "decide/operation")],
  },
  { name: "server/problems.ts", imports: [...common, "server/decide/rows"] },
  { name: "server/options.ts", imports: [...common, ...serverRooms("ports", "policy-types.ts", "decide/rows")] },
  { name: "server/tokens", imports: [...common, ...serverRooms("ports", "decide/rows", "decide", "problems.ts")] },
  {
    name: "server/service",
    imports: [
      ...[...common, ...serverRooms("ports", "policy-types.ts", "decide/rows", "decide/operation", "decide")],
      ...serverRooms("problems.ts", "options.ts", "tokens"),
    ],
  },
  {
    name: "server/http",
    imports: [...common, ...serverRooms("ports", "policy-types.ts", "problems.ts", "options.ts", "tokens", "service")],
  },
  {
    name: "server/admin",
    imports: [...common, ...serverRooms("ports", "decide/rows", "options.ts", "tokens", "service")],
  },
  {
    name: "server",
    imports: [...common, ...serverRooms("ports", "policy-types.ts", "options.ts", "service", "http", "admin")],
  },
  { name: "server/sql", imports: ["shared", "protocol", "schema", "server/ports"] },
  { name: "server/sqlite", imports: ["shared", "protocol", "schema", "server/ports", "server/sql"] },
  { name: "server/postgres", imports: ["shared", "protocol", "schema", "server/ports", "server/sql"] },
  { name: "server/memory", imports: ["shared", "protocol", "schema", "server/ports"] },
  { name: "server/hono", imports: ["shared", "protocol", "schema", ...serverRooms("options.ts", "http"), "server"] },

  { name: "server/testing", imports: "any" },
  { name: "testing", imports: "any" },
];

/** Third-party packages, and the one layer that knows each. */
const packages: Readonly<Record<string, string>> = {
  "zod/mini": "protocol",
  ky: "transport",
  idb: "storage/indexeddb",
  eventemitter3: "client/tab",
  hono: "server/hono",
  libsql: "server/sqlite",
  "better-sqlite3": "server/sqlite",
  pg: "server/postgres",
};

/** `process.getBuiltinModule` is how modules of Node are reached without importing them. */
const mayTouchTheProcess = ["src/shared/builtin.ts"];

const pureFolders = /^src\/(client|server|conflict|protocol|schema)\/(?!testing\/)/;
const globalObjects = ["globalThis", "self", "window"];
const ofTheProcess = ["process", "Buffer", "require"];
const ofThePlatform = [
  ...["Date", "performance", "setTimeout", "setInterval", "clearTimeout", "clearInterval"],
  ...["crypto", "fetch", "console", "navigator", "document", "indexedDB", "localStorage"],
];

export const rules: readonly Rule[] = [
  rule("every file belongs to a layer", ({ files }) =>
    files.filter(({ path }) => !layerOf(path)).map(({ path }) => path),
  ),

  importRule(
    "a relative import names a file, with its extension",
    ({ target, exists }) => target !== undefined && !exists,
  ),

  importRule("imports run one way through the layers", ({ from, target }) => {
    const [importer, imported] = [layerOf(from), target === undefined ? undefined : layerOf(target)];
    if (!importer || !imported || importer === imported || importer.imports === "any") return false;
    return !importer.imports.includes(imported.name);
  }),

  importRule(
    "client and server never import each other",
    ({ from, target = "" }) => [from, target].some(isClient) && [from, target].some(isServer),
  ),

  importRule(
    "nothing imports the package by its own name or its main entry",
    ({ specifier, target }) => target === "src/index.ts" || /^tillsync(\/|$)/.test(specifier),
  ),

  importRule(
    "an index.ts is an entry: only another entry may re-export it",
    ({ from, target, reExport }) => isEntry(target ?? "") && !(reExport && isEntry(from)),
  ),

  rule("no file depends on itself through others, types included", (house) =>
    cycles(house).map((cycle) => cycle.join(" → ")),
  ),

  rule("a decision waits for nothing", ({ files }) =>
    files.filter(({ path, waits }) => waits && /^src\/(client|server)\/decide\//.test(path)).map(({ path }) => path),
  ),

  rule("a file is imported in one declaration, values and types together", ({ files }) =>
    files.flatMap(({ path, imports }) => {
      const specifiers = imports.filter(({ reExport }) => !reExport).map(({ specifier }) => specifier);
      return specifiers
        .filter((specifier, index) => specifiers.indexOf(specifier) !== index)
        .map((specifier) => `${path} imports "${specifier}" twice`);
    }),
  ),

  importRule("no module of Node is imported", ({ specifier }) => isNodeModule(specifier)),

  importRule("a third-party package is known to one layer only", ({ from, specifier, target }) => {
    if (target !== undefined || isNodeModule(specifier) || /^tillsync(\/|$)/.test(specifier)) return false;
    const owner = packages[specifier] ?? packages[specifier.split("/")[0] ?? ""];
    return owner === undefined || owner !== layerOf(from)?.name;
  }),

  memberRule("the process is touched in the named files only", (object, member, path) => {
    if (mayTouchTheProcess.includes(path)) return false;
    return ofTheProcess.includes(object) || (globalObjects.includes(object) && ofTheProcess.includes(member));
  }),

  // Of the bare names (`fetch(…)`, `new Date()`) Biome's noRestrictedGlobals says the same, while one types.
  memberRule("pure folders take time, randomness and the platform through ports", (object, member, path) => {
    if (!pureFolders.test(path)) return false;
    if (`${object}.${member}` === "Math.random") return true;
    return ofThePlatform.includes(object) || (globalObjects.includes(object) && ofThePlatform.includes(member));
  }),
];

function rule(title: string, offences: Rule["offences"]): Rule {
  return { title, offences };
}

function importRule(title: string, offends: (edge: Import & { from: string; exists: boolean }) => boolean): Rule {
  return rule(title, ({ files, byPath }) =>
    files.flatMap(({ path, imports }) =>
      imports
        .filter((edge) => offends({ ...edge, from: path, exists: byPath.has(edge.target ?? "") }))
        .map(({ specifier }) => `${path} imports "${specifier}"`),
    ),
  );
}

function memberRule(title: string, offends: (object: string, member: string, path: string) => boolean): Rule {
  return rule(title, ({ files }) =>
    files.flatMap(({ path, globalMembers }) =>
      globalMembers
        .filter(([object, member]) => offends(object, member, path))
        .map(([object, member]) => `${path} uses ${object}.${member}`),
    ),
  );
}

function layerOf(path: string): Layer | undefined {
  return layers
    .filter(({ name }) => path === `src/${name}` || path.startsWith(`src/${name}/`))
    .reduce<Layer | undefined>(
      (best, layer) => (best && best.name.length > layer.name.length ? best : layer),
      undefined,
    );
}

function isClient(path: string): boolean {
  return /^src\/(client|storage|transport)\//.test(path);
}

function isServer(path: string): boolean {
  return /^src\/server\/(?!testing\/)/.test(path);
}

function isEntry(path: string): boolean {
  return path.endsWith("/index.ts");
}

function isNodeModule(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

/** Every cycle once, from where a depth-first walk first closes it. */
function cycles({ files, byPath }: House): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of files) walk(path, []);
  return found;
}
