/** docs/protocol.md is held to its word: its sentences are shown at the real handler, on each store that needs no server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PROBLEM_STATUS } from "tillsync/protocol";
import { memoryStore } from "tillsync/server/memory";
import { sqliteStore } from "tillsync/server/sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { operationSchema, parseOperation } from "../../src/protocol/operation.ts";
import { problemBody, RequestProblem } from "../../src/server/problems.ts";
import { fixture, fixtureNames } from "../protocol/fixtures.ts";
import { readPage } from "./markdown.ts";
import { Bench, sentences } from "./protocol-sentences.ts";

const page = readPage("docs/protocol.md");

const stores = {
  memory: async () => memoryStore(),
  async SQLite() {
    const folder = await mkdtemp(join(tmpdir(), "tillsync-"));
    const store = sqliteStore({ path: join(folder, "shop.sqlite") });
    onTestFinished(async () => {
      await store.close();
      await rm(folder, { recursive: true });
    });
    return store;
  },
} as const;

describe.each(Object.entries(stores))("the page's word, kept on %s", (_, open) => {
  test.each(sentences.map(({ says, shows }) => [says, shows] as const))("%s", async (says, shows) => {
    expect(page).toContain(says);
    await shows(new Bench(await open(), "shop"));
  });
});

describe("the page's tables", () => {
  const table = page.slice(page.indexOf("| member "));
  const rows = table
    .slice(0, table.indexOf("\n\n"))
    .split("\n")
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const named = (cell = "") => [...cell.matchAll(/`([A-Za-z]+)`/g)].map(([, name = ""]) => name);
  const actions = ["create", "update", "increment", "delete", "void"];
  const filled: Record<string, unknown> = {
    ...{ id: "019a9f3c-5e00-7000-8000-0000000000a1", sequence: 1, collection: "products", entityId: "p-1" },
    ...{ schemaVersion: 1, occurredAt: "2026-11-20T08:00:00.000Z", branch: "b-2", actor: "u-7", transaction: "t-1" },
    ...{ acknowledged: { epoch: "e", version: 1 }, after: [], data: {}, baseVersion: 1, patch: {}, unset: ["a"] },
    ...{ supersedes: ["019a9f3c-5e00-7000-8000-0000000000a4"], by: { stock: 1 }, force: true },
  };
  const places = rows.flatMap(([, members, where = ""]) => {
    const inActions = where.startsWith("every action") ? actions : named(where.split(":")[0]);
    return named(members).map((member) => ({ member, actions: inActions, isRequired: where.includes("required") }));
  });

  test("name every member of an operation", () => {
    const { options } = operationSchema._zod.def as unknown as { options: { _zod: { def: { shape: object } } }[] };
    const known = new Set(options.flatMap((option) => Object.keys(option._zod.def.shape)));
    expect(new Set(places.map(({ member }) => member))).toEqual(known);
  });

  test.each(actions)("say what an operation with the action %s needs and may have", (action) => {
    const mine = places.filter((place) => place.actions.includes(action));
    const full = { ...Object.fromEntries(mine.map(({ member }) => [member, filled[member]])), action };
    expect(parseOperation(full)).toMatchObject({ ok: true });
    for (const { member, isRequired } of mine) {
      const { [member]: _left, ...rest } = full as Record<string, unknown>;
      const needed = isRequired || (action === "void" && member === "supersedes");
      expect([member, parseOperation(rest).ok]).toEqual([member, !needed]);
    }
    for (const { member } of places.filter((place) => !place.actions.includes(action)))
      expect([member, parseOperation({ ...full, [member]: filled[member] }).ok]).toEqual([member, false]);
  });

  test("its problems have the titles that the server sends", () => {
    const shown = fixtureNames.filter((name) => name.startsWith("problem."));
    expect(shown.length).toBeGreaterThan(10);
    for (const name of shown) {
      const { code, title } = fixture(name) as { code: keyof typeof PROBLEM_STATUS; title: string };
      expect([name, problemBody(new RequestProblem(code, ""), "r").title]).toEqual([name, title]);
    }
  });
});
