import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { RowState } from "../../../src/protocol/types.ts";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { conflictNow, currentState, serverSide } from "../../../src/server/decide/conflict-now.ts";
import type { ConflictRow } from "../../../src/server/ports/rows.ts";
import { collections } from "../support/shop.ts";
import { count, edit, product, quarrel, ServerWorld } from "../support/world.ts";

const newer = {
  ...collections,
  products: defineCollection({
    schema: z.object({ title: z.string(), priceCents: z.int().default(0), stock: z.int().default(0) }),
    counters: ["stock"],
    schemaVersion: 2,
    upcast: { 1: ({ name, note: _note, ...rest }) => ({ ...rest, ...(name !== undefined && { title: name }) }) },
  }),
};
const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 2 ** 52 };

async function updated(before: ServerWorld) {
  const world = await ServerWorld.open({}, newer as never);
  world.store.restore(before.store.snapshot());
  return world;
}
async function onlyConflict(world: ServerWorld): Promise<ConflictRow & { readonly server: RowState }> {
  const [row] = await world.conflicts();
  if (row === undefined || "omitted" in row.server) throw new Error("no conflict with a row");
  return row as ConflictRow & { readonly server: RowState };
}

describe("a conflict of an older schema is shown in the one that the server has [H7]", () => {
  test("both sides, with the version that they are raised to", async () => {
    const world = await updated((await quarrel({ name: "Tea" })).world);
    const row = await onlyConflict(world);
    expect(row).toMatchObject({ client: { name: "Tea", priceCents: 1 } });
    expect(conflictNow(world.catalog, row)).toEqual({
      client: { title: "Tea", priceCents: 1 },
      server: {
        version: row.server.version,
        schemaVersion: 2,
        data: { title: "Cola", priceCents: 300, stock: 0 },
      },
    });
  });
  test("with a deleted server's side", async () => {
    const before = await ServerWorld.open();
    await before.till("a").push(product("p-1"), remove);
    await before.till("b").send(edit("p-1", 1, { name: "Tea" }));
    const world = await updated(before);
    const row = await onlyConflict(world);
    expect(conflictNow(world.catalog, row)).toEqual({
      client: { title: "Tea" },
      server: { version: row.server.version, schemaVersion: 2, deleted: true },
    });
  });
  test("as it is, if it is of the server's schema or of a collection that the server has no more", async () => {
    const { world } = await quarrel();
    const row = await onlyConflict(world);
    const { client, server } = row;
    expect(conflictNow(world.catalog, row)).toEqual({ client, server });
    const without = { collections: new Map(), order: [], deskScope: "sync:desk" };
    expect(conflictNow(without, { client, server, collection: "products" })).toEqual({ client, server });
    const ahead = { ...server, schemaVersion: 3 };
    expect(conflictNow(world.catalog, { client, server: ahead, collection: "products" })).toEqual({
      client,
      server: ahead,
    });
  });
});

describe("the row as it is now, beside its conflict", () => {
  const office = { principal: { tenant: "shop", scopes: [] }, hasDesk: true };

  test("is shown once it was written since", async () => {
    const { world, a } = await quarrel();
    const conflict = await onlyConflict(world);
    const row = (await world.row("products", "p-1"))!;
    expect(currentState(world.catalog, office, conflict, row)).toBeUndefined();
    await a.send(count("p-1", 2));
    const counted = (await world.row("products", "p-1"))!;
    expect(currentState(world.catalog, office, conflict, counted)).toEqual({
      version: counted.version,
      data: { name: "Cola", priceCents: 300, stock: 2 },
    });
  });
  test("is none of a collection that the server has no more, and none that only counts", async () => {
    const { world } = await quarrel();
    const conflict = { server: { version: 1, deleted: true } } as const;
    const row = (await world.row("products", "p-1"))!;
    expect(
      currentState({ collections: new Map(), order: [], deskScope: "sync:desk" }, office, conflict, row),
    ).toBeUndefined();
    expect(currentState(world.catalog, office, conflict, { ...row, state: "stub" })).toBeUndefined();
  });
  test("is deleted for who may not see it: another branch's office, a till that may not read (L9)", async () => {
    const allow = { read: "catalog", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    await world.till("a", { scopes: ["catalog"] }).send(product("p-1"));
    const row = (await world.row("products", "p-1"))!;
    const conflict = { server: { version: 1, deleted: true } } as const;
    const seen = (scopes: readonly string[], hasDesk: boolean, branch?: string, scope = "") =>
      currentState(world.catalog, { principal: { tenant: "shop", scopes, branch }, hasDesk }, conflict, {
        ...row,
        scope,
      });
    const gone = { version: 0, deleted: true };
    expect(seen([], false)).toEqual(gone);
    expect(seen(["catalog"], true, "south", "north")).toEqual(gone);
    for (const shown of [seen(["catalog"], false), seen([], true), seen([], true, "north", "north")]) {
      expect(shown).toMatchObject({ version: row.version, data: { name: "Cola" } });
    }
  });
});

test("of a conflict without a copy, the desk shows the row as it is; nothing of one that it may not see", async () => {
  const { world } = await quarrel();
  const row = (await world.row("products", "p-1"))!;
  const conflict = { server: { version: row.version, omitted: true } } as const;
  const office = (branch?: string) => ({ principal: { tenant: "shop", scopes: [], branch }, hasDesk: true });
  const data = { name: "Cola", priceCents: 300, stock: 0 };
  expect(serverSide(world.catalog, office(), conflict, row)).toEqual({ version: row.version, data });
  const gone = { version: 0, deleted: true };
  expect(serverSide(world.catalog, office("south"), conflict, { ...row, scope: "north" })).toEqual(gone);
  expect(serverSide(world.catalog, office(), conflict, { ...row, state: "stub" })).toEqual(gone);
  expect(serverSide(world.catalog, office(), conflict, undefined)).toEqual(gone);
  const kept = { server: { version: 3, data: { name: "Tea" } } } as const;
  expect(serverSide(world.catalog, office(), kept, row)).toBe(kept.server);
});
