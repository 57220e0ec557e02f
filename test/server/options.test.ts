import { describe, expect, test } from "vitest";
import { createSyncHandler } from "../../src/server/index.ts";
import { memoryStore } from "../../src/server/memory/index.ts";
import { isTillSyncError } from "../../src/shared/errors.ts";
import { collections, policies } from "./support/shop.ts";

const good = () => ({ store: memoryStore(), authenticate: () => undefined, collections, policies: policies() });
const open = { read: "everyone", create: "everyone" };

describe("a forgotten or odd option fails at construction, and says which", () => {
  test("nothing is wrong with the good ones", () => {
    expect(typeof createSyncHandler(good())).toBe("function");
  });
  test.each([
    ["store", { store: undefined }],
    ["store", { store: {} }],
    ["authenticate", { authenticate: "token" }],
    ["collections", { collections: {} }],
    ["policies", { policies: undefined }],
    ["policies.payments", { policies: { ...policies(), payments: undefined } }],
    ["policies.ghosts", { policies: { ...policies(), ghosts: {} } }],
    ["policies.sales.scope", { policies: { ...policies(), sales: { allow: open } } }],
    ["policies.sales.scope", { policies: { ...policies(), sales: { scope: { branch: "b" }, allow: open } } }],
    ["policies.sales.allow", { policies: { ...policies(), sales: { scope: "tenant" } } }],
    [
      "policies.sales.allow.create",
      { policies: { ...policies(), sales: { scope: "tenant", allow: { read: "everyone" } } } },
    ],
    [
      "policies.sales.allow.update",
      { policies: { ...policies(), sales: { scope: "tenant", allow: { ...open, update: "everyone" } } } },
    ],
    [
      "policies.products.allow.delete",
      { policies: { ...policies(), products: { scope: "tenant", allow: { ...open, update: "x" } } } },
    ],
    ["policies.sales.decide", { policies: { ...policies(), sales: { scope: "tenant", allow: open, decide: true } } }],
    // Otherwise every operation would wait for good, with a line in the server's log for each.
    [
      "policies.sales.decide",
      { policies: { ...policies(), sales: { scope: "tenant", allow: open, decide: async () => ({}) } } },
    ],
    [
      "policies.sales.reads",
      { policies: { ...policies(), sales: { scope: "tenant", allow: open, reads: async () => ({}) } } },
    ],
    [
      "policies.sales.conflict",
      { policies: { ...policies(), sales: { scope: "tenant", allow: open, conflict: () => "server" } } },
    ],
    ["limits.maxOperations", { limits: { maxOperations: 10 } }],
    ["limits.maxBytes", { limits: { maxBytes: 10 } }],
    ["clock", { clock: {} }],
    ["deskScope", { deskScope: "" }],
    ["polices", { polices: {} }],
  ])("%s", (option, wrong) => {
    let caught: unknown;
    try {
      createSyncHandler({ ...good(), ...wrong } as never);
    } catch (error) {
      caught = error;
    }
    expect(isTillSyncError(caught, "invalid_option") && caught.details).toMatchObject({
      option,
      expected: expect.any(String),
      hint: expect.any(String),
    });
  });
});
