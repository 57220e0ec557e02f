import { describe, expect, test } from "vitest";
import { readSources } from "../support/sources.ts";
import { readHouse, rules } from "./layering.ts";

describe("the sources keep the house's rules", () => {
  const house = readHouse(readSources("src"));

  for (const { title, offences } of rules) {
    test(title, () => {
      expect(house.files).not.toEqual([]);
      expect(offences(house)).toEqual([]);
    });
  }
});

/** A house that keeps every rule. Each case below changes one file of it, or adds one. */
const sound = {
  "src/index.ts": `export { createSyncClient } from "./client/client.ts"; export * from "./schema/index.ts"; import "./storage/indexeddb/index-db.ts";`,
  "src/shared/errors.ts": `export class TillSyncError extends Error {}`,
  "src/shared/builtin.ts": `export const node = (globalThis as { process?: { version: string } }).process;`,
  "src/shared/clock.ts": `export const systemClock = { now: () => Date.now() };`,
  "src/protocol/wire.ts": `import * as z from "zod/mini"; import type { TillSyncError } from "../shared/errors.ts";`,
  "src/schema/index.ts": `export { defineCollection } from "./define.ts";`,
  "src/schema/define.ts": `import { TillSyncError } from "../shared/errors.ts"; export const defineCollection = () => {};`,
  "src/conflict/merge.ts": `import type { Wire } from "../protocol/wire.ts"; import { defineCollection } from "../schema/define.ts";`,
  "src/client/client.ts": `import { Emitter } from "./tab/emitter.ts"; import { decide } from "./decide/write.ts"; import type { Storage } from "./ports/storage.ts";`,
  "src/client/tab/emitter.ts": `import EventEmitter from "eventemitter3"; import { type Storage, ask } from "../ports/storage.ts";`,
  "src/client/decide/write.ts": `/* Math.random, Date.now */ export const decide = (clock: { now(): number }) => "process.env" + clock.now();`,
  "src/client/ports/storage.ts": `import type { TillSyncError } from "../../shared/errors.ts";`,
  "src/storage/indexeddb/index-db.ts": `import { openDB } from "idb"; import type { Storage } from "../../client/ports/storage.ts";`,
  "src/transport/http.ts": `import ky from "ky"; import type { Storage } from "../client/ports/storage.ts";`,
  "src/server/handler.ts": `import { merge } from "../conflict/merge.ts"; import type { Store } from "./ports/store.ts";`,
  "src/server/ports/store.ts": `export interface Store { readonly kind: string }`,
  "src/server/sqlite/store.ts": `import type { Store } from "../ports/store.ts"; const driver = () => import("libsql");`,
  "src/server/hono/routes.ts": `import { Hono } from "hono"; import { handler } from "../handler.ts";`,
  "src/testing/shop.ts": `import { createSyncClient } from "../client/client.ts"; import { handler } from "../server/handler.ts";`,
};

describe("the rules notice", () => {
  test("nothing in a sound house", () => {
    for (const { title, offences } of rules)
      expect(offences(readHouse(new Map(Object.entries(sound)))), title).toEqual([]);
  });

  const broken: Readonly<Record<string, readonly (readonly [path: string, source: string])[]>> = {
    "every file belongs to a layer": [
      ["src/utils/misc.ts", ""],
      ["src/types.ts", ""],
    ],
    "a relative import names a file, with its extension": [
      ["src/shared/json.ts", `import { x } from "./errors";`],
      ["src/shared/json.ts", `import { x } from "./errors.js";`],
    ],
    "imports run one way through the layers": [
      ["src/shared/json.ts", `import type { X } from "../protocol/wire.ts";`],
      ["src/protocol/ids.ts", `export { x } from "../schema/define.ts";`],
      ["src/conflict/lww.ts", `import "../client/client.ts";`],
      ["src/client/ports/clock.ts", `type X = import("../client.ts").X;`],
      ["src/client/loop.ts", `import { http } from "../transport/http.ts";`],
      ["src/client/decide/write.ts", `import { open } from "../store/local-store.ts";`],
      ["src/client/tab/others.ts", `import type { Desk } from "../app/desk.ts";`],
      ["src/client/state/rows.ts", `import type { Decided } from "../decide/write.ts";`],
      ["src/client/fake.ts", `import "../testing/shop.ts";`],
      ["src/transport/live.ts", `const x = await import("../client/client.ts");`],
      ["src/storage/memory/memory.ts", `import "../indexeddb/index-db.ts";`],
      ["src/server/page.ts", `import { s } from "./sqlite/store.ts";`],
      ["src/server/ports/relay.ts", `import type { Policies } from "../policy-types.ts";`],
      ["src/server/decide/rows/rows.ts", `import { evaluate } from "../operation/evaluate.ts";`],
      ["src/server/decide/operation/evaluate.ts", `import type { Push } from "../push.ts";`],
      ["src/server/decide/push.ts", `import { RequestProblem } from "../problems.ts";`],
      ["src/server/tokens/seal.ts", `import type { Options } from "../options.ts";`],
      ["src/server/service/desks.ts", `import type { Call } from "../http/endpoints.ts";`],
      ["src/server/http/endpoints.ts", `import { decidePush } from "../decide/push.ts";`],
      ["src/server/admin/revoke.ts", `import { handler } from "../http/handler.ts";`],
      ["src/server/sqlite/sql.ts", `import { handler } from "../handler.ts";`],
      ["src/server/sqlite/sql.ts", `import "../hono/routes.ts";`],
      ["src/index.ts", `export { handler } from "./server/handler.ts";`],
    ],
    "client and server never import each other": [
      ["src/client/loop.ts", `import "../server/handler.ts";`],
      ["src/server/page.ts", `import type { S } from "../client/ports/storage.ts";`],
      ["src/server/page.ts", `import "../storage/indexeddb/index-db.ts";`],
    ],
    "nothing imports the package by its own name or its main entry": [
      ["src/testing/till.ts", `import "../index.ts";`],
      ["src/testing/till.ts", `import "tillsync";`],
      ["src/testing/till.ts", `import "tillsync/schema";`],
    ],
    "an index.ts is an entry: only another entry may re-export it": [
      ["src/client/loop.ts", `export * from "../schema/index.ts";`],
      ["src/index.ts", `import { x } from "./schema/index.ts";`],
    ],
    "no file depends on itself through others, types included": [
      ["src/shared/errors.ts", `import type { X } from "./errors.ts";`],
      ["src/client/decide/write.ts", `import { x } from "../client.ts";`],
      ["src/server/ports/store.ts", `import type { X } from "../handler.ts";`],
    ],
    "a decision waits for nothing": [
      ["src/client/decide/write.ts", `export async function decide() {}`],
      ["src/server/decide/push.ts", `await undefined;`],
    ],
    "a file is imported in one declaration, values and types together": [
      [
        "src/client/sync/loop.ts",
        `import type { A } from "../ports/storage.ts"; import { b } from "../ports/storage.ts";`,
      ],
      ["src/client/sync/loop.ts", `import { b } from "../ports/storage.ts"; type A = import("../ports/storage.ts").A;`],
    ],
    "no module of Node is imported": [
      ["src/server/sqlite/file.ts", `import { join } from "node:path";`],
      ["src/server/sqlite/file.ts", `const fs = await import("fs");`],
    ],
    "a third-party package is known to one layer only": [
      ["src/client/loop.ts", `import ky from "ky";`],
      ["src/client/loop.ts", `import * as z from "zod/mini";`],
      ["src/protocol/ids.ts", `import { z } from "zod";`],
      ["src/server/page.ts", `import { Hono } from "hono/tiny";`],
      ["src/shared/json.ts", `import clone from "lodash/clone";`],
    ],
    "the process is touched in the named files only": [
      ["src/server/page.ts", `const debug = process.env["DEBUG"];`],
      ["src/shared/clock.ts", `const t = globalThis.process?.hrtime;`],
      ["src/shared/json.ts", `const b = Buffer.from("x");`],
      ["src/shared/json.ts", `const { env } = process;`],
    ],
    "pure folders take time, randomness and the platform through ports": [
      ["src/client/loop.ts", `const jitter = Math.random();`],
      ["src/client/loop.ts", `const { random } = Math;`],
      ["src/client/loop.ts", `(globalThis as any).fetch("/");`],
      ["src/server/page.ts", `const at = Date.now();`],
      ["src/server/page.ts", `const at = \`\${Date["now"]()}\`;`],
      ["src/protocol/ids.ts", `crypto.randomUUID();`],
      ["src/conflict/lww.ts", `console.log("x");`],
    ],
  };

  for (const { title, offences } of rules) {
    test(`where it is broken: ${title}`, () => {
      expect(broken[title]).toBeDefined();
      for (const [path, source] of broken[title] ?? []) {
        const found = offences(readHouse(new Map(Object.entries({ ...sound, [path]: source }))));
        expect(found, `${path}: ${source}`).toEqual([expect.stringContaining(path)]);
      }
    });
  }

  test("a name that the file declares itself is not the platform's", () => {
    const source = `export const at = (Date: { now(): number }) => Date.now();`;
    const house = readHouse(new Map([["src/client/loop.ts", source]]));
    expect(rules.flatMap(({ offences }) => offences(house))).toEqual([]);
  });
});
