/** What the people at the till are told. Every state has words, and none of them is a code. */
import { type OperationStatus, type RecordSync, type SyncStatus, TillSyncError } from "tillsync";
import { describe, expect, test } from "vitest";
import { notSavedWords, storageFault } from "../../../examples/pos-web/model/fault-words.ts";
import {
  groupOperations,
  groupTitle,
  operationState,
  operationTitle,
  type QueuedOperation,
} from "../../../examples/pos-web/model/operation-words.ts";
import { flagWords, saleNumber, saleState } from "../../../examples/pos-web/model/sale-words.ts";
import { inGroups } from "../../../examples/pos-web/model/sign-in-words.ts";
import { lostWords, statusWords, storageWords, waitingWords } from "../../../examples/pos-web/model/status-words.ts";
import { ago, dayName, lasting, until } from "../../../examples/pos-web/model/when.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const facts = {
  waiting: [] as SyncStatus["waiting"],
  since: NOW,
  pending: { count: 0, oldestAt: undefined, byCollection: {} },
  attention: { conflicts: 0, rejected: 0, quarantined: 0 },
  lastPushAt: undefined,
  lastPullAt: undefined,
  clock: { offsetMs: 0, confidence: "none" },
  storage: { persisted: true, usedBytes: undefined, quotaBytes: undefined, atRisk: undefined },
} as const;
const pending = { count: 3, oldestAt: NOW - 3_600_000, byCollection: { sales: 1 } };
const storageError = new TillSyncError("storage_unavailable", "The store does not answer", {} as never);

describe("the status", () => {
  const cases: readonly (readonly [object, string, string])[] = [
    [{ phase: "stopped" }, "waiting", "Not started"],
    [{ phase: "opening" }, "busy", "Starting"],
    [{ phase: "first_sync", progress: { received: 5, expected: 10, waitingFor: [] } }, "busy", "Loading"],
    [{ phase: "online", activity: "idle" }, "good", "Online"],
    [{ phase: "online", activity: "pulling" }, "good", "Online"],
    [{ phase: "online", activity: "pushing", pending }, "busy", "Sending"],
    [{ phase: "online", activity: "idle", pending }, "busy", "Online"],
    [{ phase: "offline", cause: "no_network", retryAt: NOW + 12_000 }, "waiting", "Offline"],
    [{ phase: "offline", cause: "unreachable", retryAt: undefined }, "waiting", "Offline"],
    [{ phase: "offline", cause: "server_error", retryAt: undefined }, "waiting", "Offline"],
    [{ phase: "offline", cause: "throttled", retryAt: undefined }, "waiting", "Offline"],
    [{ phase: "offline", cause: "device_error", retryAt: undefined }, "waiting", "Offline"],
    [{ phase: "paused", reasons: ["forced_offline"] }, "waiting", "Offline by choice"],
    [{ phase: "action_needed", cause: "auth_required" }, "alert", "Sign in again"],
    [{ phase: "action_needed", cause: "device_revoked" }, "alert", "Till shut out"],
    [{ phase: "action_needed", cause: "wrong_workspace" }, "alert", "Wrong shop"],
    [{ phase: "action_needed", cause: "protocol_unsupported" }, "alert", "Update needed"],
    [{ phase: "action_needed", cause: "upgrade_needed" }, "alert", "Update needed"],
    [{ phase: "failed", error: storageError }, "alert", "Storage fault"],
    [{ phase: "closed" }, "alert", "Closed"],
  ];

  test.each(cases)("%j", (phase, tone, label) => {
    const words = statusWords({ ...facts, ...phase } as SyncStatus, NOW);
    expect([words.tone, words.label]).toEqual([tone, label]);
    expect([words.cause, words.meaning].every((text) => /^[A-Z0-9].*\.$|does not answer$/.test(text))).toBe(true);
  });

  test("says the cause, when it tries again, and that selling goes on", () => {
    const status = { ...facts, pending, phase: "offline", cause: "no_network", retryAt: NOW + 12_000 } as SyncStatus;
    expect(statusWords(status, NOW)).toMatchObject({
      cause: "This device has no network.",
      next: "Next try in 12\u00a0s.",
      meaning: "Selling goes on. 3 changes kept on this till.",
    });
  });

  test("tells how much waits for a person, also while everything else is well", () => {
    const attention = { conflicts: 0, rejected: 1, quarantined: 2 };
    const status = { ...facts, attention, phase: "online", activity: "idle" } as SyncStatus;
    expect(statusWords(status, NOW).meaning).toBe("Every sale of this till is on the server. 3 entries need a person.");
  });

  test("tells since when something waits", () => {
    expect(waitingWords({ pending }, NOW)).toBe("3 changes, the oldest for 1 hour");
    expect(waitingWords({ pending: facts.pending }, NOW)).toBe("Nothing waits");
  });

  test("warns where the browser has not promised to keep the data, and where there is no room", () => {
    const storage = (atRisk: "eviction" | "full" | undefined) =>
      storageWords({ pending, storage: { ...facts.storage, atRisk } });
    expect(storage(undefined)).toBeUndefined();
    expect(storage("eviction")).toContain("3 changes would be lost");
    expect(storage("full")).toContain("almost full");
  });

  test("says how much a cleared store may have lost, unless no till can have made that much", () => {
    expect(lostWords(1)).toMatch(/^This till's storage was cleared or put back. 1 change that was not sent yet may/);
    expect(lostWords(10_000)).toContain("10,000 changes that were not sent yet");
    for (const missing of [undefined, 10_001, Number.MAX_SAFE_INTEGER - 3]) {
      expect(lostWords(missing)).toContain("back. Sales that were not sent yet may be missing");
    }
  });
});

describe("a sale", () => {
  test.each<[RecordSync, string]>([
    ["pending", "On this till only"],
    ["blocked", "On this till only"],
    ["synced", "On the server"],
    ["quarantined", "Set aside"],
    ["rejected", "Refused"],
    ["conflict", "In conflict"],
  ])("that is %s", (sync, label) => {
    expect(saleState({ sync, flags: [] }).label).toBe(label);
  });

  test("that was marked says so, and why", () => {
    expect(saleState({ sync: "synced", flags: [{ code: "over_refund" }] }).tone).toBe("alert");
    expect(flagWords({ code: "over_refund" })).toBe("More was given back than was sold.");
    expect(flagWords({ code: "a_shops_own", message: "Call Ada" })).toBe("Call Ada");
  });

  test("that nothing is known of yet is on this till", () => {
    expect(saleState(undefined).label).toBe("On this till only");
  });
});

describe("an operation", () => {
  const reason = { code: "not_permitted", message: "no", issues: [] };
  test.each<[OperationStatus, string]>([
    [{ state: "pending" }, "Waiting"],
    [{ state: "in_flight" }, "On its way"],
    [{ state: "applied" }, "On the server"],
    [{ state: "blocked", by: ["x"] }, "Comes later"],
    [{ state: "superseded", by: "x" }, "Replaced"],
    [{ state: "conflict", conflictId: "x" }, "In conflict"],
    [{ state: "rejected", reason }, "Refused"],
    [{ state: "quarantined", reason }, "Set aside"],
  ])("in the state %j", (status, label) => {
    expect(operationState({ status, attempts: 0 }).label).toBe(label);
  });

  test("that was refused says why, in words", () => {
    const { detail } = operationState({ status: { state: "rejected", reason }, attempts: 1 });
    expect(detail).toBe("The person or the till had no right to it");
  });

  const operation = (sequence: number, collection: string, change: object, transaction?: string) =>
    ({
      id: `o-${sequence}`,
      sequence,
      transaction,
      collection,
      entityId: "cola",
      change,
      status: { state: "pending" },
      occurredAt: NOW,
      attempts: 0,
    }) as QueuedOperation;
  const sale = operation(3, "sales", { action: "create", data: { totalCents: 300 } }, "t-1");
  const payment = operation(4, "payments", { action: "create", data: { method: "cash" } }, "t-1");
  const stock = operation(2, "products", { action: "increment", by: { stock: -2 } }, "t-1");
  const other = operation(1, "products", { action: "increment", by: { stock: 5 } });
  const nameOf = (id: string) => (id === "cola" ? "Cola" : undefined);

  test("stands with what was done in the same go, under the name of its sale", () => {
    const groups = groupOperations([payment, sale, stock, other]);
    expect(groups.map(({ operations }) => operations.map(({ id }) => id))).toEqual([["o-1"], ["o-2", "o-3", "o-4"]]);
    expect(groups.map((group) => groupTitle(group, nameOf, "EUR"))).toEqual([
      "Stock of Cola: +5",
      expect.stringMatching(/^Sale of .*3/),
    ]);
    expect([sale, payment, stock].map((entry) => operationTitle(entry, nameOf))).toEqual([
      "Sale",
      "Payment, cash",
      "Stock of Cola: −2",
    ]);
  });

  test("that gives up another one says so", () => {
    const given = [operation(5, "products", { action: "void" }), operation(6, "customers", { action: "void" })];
    expect(given.map((entry) => operationTitle(entry, nameOf))).toEqual(["Given up: Cola", "Given up: customers"]);
  });
});

describe("a fault of the till itself", () => {
  test("says that nothing was saved, and what to do", () => {
    expect(notSavedWords(new TillSyncError("storage_full", "No room", {} as never))).toContain("full");
    expect(notSavedWords(storageError)).toContain("does not answer");
    expect(notSavedWords(new Error("x"))).not.toContain("x.");
  });

  test("of its storage never advises to clear what may hold unsent sales", () => {
    for (const code of ["storage_full", "storage_newer", "storage_corrupt", "storage_unavailable"] as const) {
      const { title, advice } = storageFault(new TillSyncError(code, "", {} as never));
      expect(title).not.toBe("");
      expect(advice).not.toMatch(/^Clear|delete/);
    }
  });
});

test("a sale is listed under the number on the customer's paper, whatever number the server adds", () => {
  const receiptNumber = "T3-000042";
  expect(saleNumber({ receiptNumber })).toBe(receiptNumber);
  expect(saleNumber({ receiptNumber, orderNumber: "ORD-7" })).toBe(receiptNumber);
  expect(saleNumber({ orderNumber: "ORD-7" })).toBe("ORD-7");
  expect(saleNumber({})).toBe("Sale");
});

test("moments are said as people say them", () => {
  expect([lasting(20_000), lasting(61_000), lasting(3 * 3_600_000), lasting(80 * 3_600_000)]).toEqual([
    "less than a minute",
    "1 minute",
    "3 hours",
    "3 days",
  ]);
  expect([ago(undefined, NOW), ago(NOW - 5_000, NOW), ago(NOW + 5_000, NOW)]).toEqual([
    "never",
    "just now",
    "just now",
  ]);
  expect([until(NOW - 1, NOW), until(NOW + 1_500, NOW)]).toEqual(["now", "in 2\u00a0s"]);
  const noon = new Date(2026, 10, 21, 12).getTime();
  expect([dayName(noon, noon), dayName(noon - 86_400_000, noon)]).toEqual(["Today", "Yesterday"]);
});

test("a key to be typed elsewhere is shown in groups of four, and without a blank at its end", () => {
  expect([inGroups("ABCDEFGH"), inGroups("ABCDEFGHI"), inGroups("")]).toEqual(["ABCD EFGH", "ABCD EFGH I", ""]);
});
