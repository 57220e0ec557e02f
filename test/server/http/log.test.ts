/** What the server's log says of the work of tills: each thing that people may ask for, once, and nothing of its content. */
import { describe, expect, test } from "vitest";
import { HttpTill, operation, type ShopServer, shopServer } from "../support/http.ts";
import { product, sale } from "../support/world.ts";

async function open(server: ShopServer): Promise<HttpTill> {
  const till = new HttpTill(server);
  await till.register();
  server.logged.length = 0;
  return till;
}

const SECRET = "Anna Kowalska";

describe("an operation that has no effect is logged once, with its code", () => {
  test("a sale that is quarantined, which is no error of the server's", async () => {
    const server = shopServer();
    const till = await open(server);
    const odd = operation({ collection: "sales", entityId: "s-1", action: "create", data: { customer: SECRET } });
    for (const _ of [1, 2]) await till.push(odd);
    expect(server.logged).toEqual([
      {
        level: "info",
        message: "An operation was quarantined",
        fields: {
          tenant: "shop",
          code: "validation_failed",
          device: "till-1",
          operation: odd.id,
          collection: "sales",
        },
      },
    ]);
    expect(JSON.stringify(server.logged)).not.toContain(SECRET);
  });

  test("an edit that is rejected, as information", async () => {
    const server = shopServer();
    const till = await open(server);
    const wrong = operation({
      collection: "products",
      entityId: "p-1",
      action: "create",
      data: { name: 7, note: SECRET },
    });
    for (const _ of [1, 2]) await till.push(wrong);
    expect(server.logged).toMatchObject([
      {
        level: "info",
        message: "An operation was rejected",
        fields: { code: "validation_failed", operation: wrong.id },
      },
    ]);
    expect(JSON.stringify(server.logged)).not.toContain(SECRET);
  });

  test("an operation that can't be read is quarantined: its collection is not named", async () => {
    const server = shopServer();
    const till = await open(server);
    await till.push({ ...operation({ action: "create" }), collection: 7 } as never);
    expect(server.logged).toMatchObject([{ message: "An operation was quarantined", fields: { device: "till-1" } }]);
  });

  test("an id that is used again with another payload, once however often it comes", async () => {
    const server = shopServer();
    const till = await open(server);
    const first = operation(product("p-1"));
    await till.push(first);
    for (const _ of [1, 2]) await till.push({ ...first, data: { name: SECRET } } as never);
    expect(server.logged).toMatchObject([
      { level: "error", message: "An operation id was used twice, with different payloads" },
    ]);
    expect(JSON.stringify(server.logged)).not.toContain(SECRET);
  });
});

test("what is applied is not logged", async () => {
  const server = shopServer();
  const till = await open(server);
  await till.push(operation(product("p-1")), operation(sale("s-1")));
  expect(server.logged).toEqual([]);
});

test("a fork is logged with the device, its incarnation and the operation", async () => {
  const server = shopServer();
  const till = await open(server);
  const first = operation(product("p-1"));
  await till.push(first);
  const other = { ...operation(product("p-2")), sequence: first.sequence };
  const { status } = await till.call("POST", "push", { ...till.frame, operations: [other] });
  expect(status).toBe(409);
  expect(server.logged).toEqual([
    {
      level: "info",
      message: "Two stores use one identity; the push was refused",
      fields: {
        tenant: "shop",
        code: "identity_fork",
        device: "till-1",
        incarnation: till.incarnation,
        operation: other.id,
        sequence: first.sequence,
      },
    },
  ]);
});
