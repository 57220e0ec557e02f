import { describe, expect, test } from "vitest";
import { uuidOf } from "../../../../src/server/decide/operation/record-result.ts";
import { edit, product, quarrel, ServerWorld, sale } from "../../support/world.ts";

const voiding = (supersedes: readonly string[]) => ({
  action: "void",
  collection: "products",
  entityId: "p-1",
  supersedes,
});

describe("a refused edit comes with the row as it is", () => {
  test("whatever refused it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-1"));
    const version = await world.version("products", "p-1");
    const sent = await till.send(edit("p-1", version, { priceCents: -5 }));
    expect(sent).toMatchObject({
      status: "rejected",
      error: { code: "validation_failed" },
      server: { version, data: { name: "Cola", priceCents: 250, stock: 0 } },
    });
    expect((await world.operation(sent.id))?.result).toEqual(sent);
  });
  test("as deleted, if it is deleted; without it, if there is none", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(product("p-1"), { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 });
    expect(await till.send(product("p-1", { name: "" }))).toMatchObject({
      status: "rejected",
      server: { deleted: true },
    });
    expect(await till.send(edit("p-9", 0, { name: "x" }))).not.toHaveProperty("server");
  });
  test("a sale that is set aside needs none", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(sale("s-1"));
    expect(await till.send(sale("s-1", { totalCents: 1 }))).not.toHaveProperty("server");
  });
});

describe("what the operator reads of refusals", () => {
  test("the code, the device and the operation; of what was applied or is in conflict, nothing", async () => {
    const { world, b, lost } = await quarrel();
    expect(lost.status).toBe("conflict");
    const informed = () => world.logged.filter(({ message }) => message.startsWith("An operation was"));
    expect(informed()).toEqual([]);
    const rejected = await b.send(edit("p-9", 0, { name: "x" }));
    const aside = await b.send(sale("s-1", { totalCents: "x" }));
    const fields = { device: "b", operation: rejected.id, collection: "products", code: "not_found" };
    expect(informed()).toEqual([
      { level: "info", message: "An operation was rejected", fields },
      {
        level: "info",
        message: "An operation was quarantined",
        fields: { device: "b", operation: aside.id, collection: "sales", code: "validation_failed" },
      },
    ]);
    await b.send({ ...sale("s-2"), id: aside.id, sequence: 77 } as never);
    expect(informed()).toHaveLength(2);
  });
  test("no collection, if it named none that can be one", async () => {
    const world = await ServerWorld.open();
    const sent = await world.till().send({ ...product("p-1"), collection: "no name" });
    expect(sent).toMatchObject({ error: { code: "malformed" } });
    expect(world.logged.at(-1)?.fields).toEqual({ code: "malformed", device: "till-1", operation: sent.id });
  });
  test("an id that was used twice is an error, under the name that the second payload is kept by", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(sale("s-1"));
    const second = { ...till.mint(sale("s-1", { totalCents: 1 }, { transaction: "t-1" })), id: first.id };
    await till.send(first);
    await till.send(second);
    const [kept] = await world.quarantined();
    expect(world.logged.filter(({ level }) => level === "error").at(-1)?.fields).toEqual({
      operation: first.id,
      kept: kept?.id,
      device: "till-1",
    });
    // The sequence number and the transaction belong to the operation of this till that arrived first.
    expect([kept?.sequence, kept?.transaction]).toEqual([undefined, undefined]);
    expect(kept).toMatchObject({ device: "till-1", collection: "sales", entityId: "s-1" });
    expect(kept?.result).toMatchObject({ id: kept?.id, status: "quarantined" });
  });
});

describe("the row of an operation", () => {
  test("has the version of its row if it was applied, and none otherwise", async () => {
    const { world, a, lost } = await quarrel();
    const done = await a.send(edit("p-1", 2 ** 52, { name: "Tea" }));
    expect((await world.operation(done.id))?.version).toBe(await world.version("products", "p-1"));
    expect(await world.operation(lost.id)).toMatchObject({ status: "conflict", version: 0, revision: 0 });
  });
  test("of one that came too late leads to the one that stands: what waits for it goes on", async () => {
    const { world, b, lost } = await quarrel();
    const first = await b.send(voiding([lost.id]));
    const late = await b.send(voiding([lost.id]));
    expect((await world.operation(late.id))?.supersededBy).toBe(first.id);
    const base = await world.version("products", "p-1");
    expect(await b.send(edit("p-1", base, { name: "x" }, { after: [late.id] }))).toMatchObject({ status: "applied" });
  });
  test("of one that was refused leads nowhere: an edit that names it waits", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-1"));
    const refused = await till.send(edit("p-1", 0, { name: "" }));
    expect(refused.status).toBe("rejected");
    expect(await till.send(edit("p-1", 0, { name: "x" }, { after: [refused.id] }))).toMatchObject({
      status: "blocked",
      by: [refused.id],
    });
  });
});

test("the id of a kept payload is made of its hash, always in the same way", () => {
  expect(uuidOf("0123456789abcdef0123456789abcdefffff")).toBe("01234567-89ab-8def-8123-456789abcdef");
});
