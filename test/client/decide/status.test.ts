/** The status of a till, from what is known of it: what a cashier and an auditor are shown. */
import { describe, expect, test } from "vitest";
import { deriveStatus, outcomeOf, type StatusInput } from "../../../src/client/decide/status.ts";
import type { LaneFailures, SyncState } from "../../../src/client/decide/sync-machine.ts";
import { type CursorState, EMPTY_QUEUE, FIRST_CURSOR, FIRST_SYNC_POINT } from "../../../src/client/state/meta.ts";
import { TillSyncError } from "../../../src/shared/errors.ts";

const NOW = 1_000_000;
const idle = { push: "idle", pull: "idle" } as const;
const pulled: CursorState = { ...FIRST_CURSOR, complete: true, everComplete: true, received: 5 };
const failures: LaneFailures = {};
const online: SyncState = { kind: "online", lanes: idle };
const offline: SyncState = { kind: "offline", lanes: idle, cause: "server_error", failures, registered: true };
const needsAction: SyncState = {
  kind: "action_needed",
  lanes: idle,
  cause: "auth_required",
  failures,
  registered: true,
};
const healthy: StatusInput = {
  opened: "open",
  failure: undefined,
  sync: online,
  retryAt: undefined,
  online: true,
  contacted: true,
  queue: EMPTY_QUEUE,
  point: FIRST_SYNC_POINT,
  cursors: { products: pulled },
  clock: { offsetMs: 0, confidence: "high" },
  storage: { persisted: true, usedBytes: 10, quotaBytes: 1_000 },
};
const status = (over: Partial<StatusInput> = {}) => deriveStatus(undefined, { ...healthy, ...over }, NOW);
/** What the phase says, without what every status has. */
const phase = (over: Partial<StatusInput>) => {
  const { since, pending, waiting, attention, lastPushAt, lastPullAt, clock, storage, ...rest } = status(over);
  return rest;
};
const registering = (over: object = {}): SyncState => ({ kind: "registering", attempt: 0, ...over });

describe("the phase", () => {
  const error = new TillSyncError("storage_full", "The disk is full.", {} as never);

  test.each<[string, Partial<StatusInput>, object]>([
    ["of a client that was not started", { opened: "not" }, { phase: "stopped" }],
    ["while the store is being opened", { opened: "opening" }, { phase: "opening" }],
    ["of a client that was stopped", { sync: { kind: "stopped" } }, { phase: "stopped" }],
    ["of a store that can't be used", { failure: error as never }, { phase: "failed", error }],
    ["of a store that could not be opened", { opened: "not", failure: error as never }, { phase: "failed", error }],
    ["of a closed client", { opened: "closed", failure: error as never }, { phase: "closed" }],
    ["of a client whose loop is closed", { sync: { kind: "closed" } }, { phase: "closed" }],
    ["with nothing under way", {}, { phase: "online", activity: "idle" }],
    [
      "while it pushes",
      { sync: { kind: "online", lanes: { push: "busy", pull: "busy" } } },
      { phase: "online", activity: "pushing" },
    ],
    [
      "while it only pulls",
      { sync: { kind: "online", lanes: { push: "idle", pull: "busy" } } },
      { phase: "online", activity: "pulling" },
    ],
    ["of a tab that lets another one sync", { sync: { kind: "standby" } }, { phase: "online", activity: "idle" }],
    [
      "of a paused client, with the reasons",
      { sync: { kind: "paused", reasons: ["import"], leading: true, back: "standby" } },
      { phase: "paused", reasons: ["import"] },
    ],
    ["at the first contact", { sync: registering(), contacted: false }, { phase: "opening", activity: "pulling" }],
    ["at a later registration", { sync: registering() }, { phase: "online", activity: "pulling" }],
    [
      "while the server fails, with the next attempt",
      { sync: offline, retryAt: 7 },
      { phase: "offline", cause: "server_error", retryAt: 7 },
    ],
    [
      "while the platform has no network",
      { sync: offline, online: false },
      { phase: "offline", cause: "no_network", retryAt: undefined },
    ],
    [
      "while a person is needed",
      { sync: needsAction, online: false },
      { phase: "action_needed", cause: "auth_required" },
    ],
    [
      "while a registration that failed is tried again",
      { sync: registering({ after: { kind: "offline", cause: "throttled", floorMs: 0 } }) },
      { phase: "offline", cause: "throttled", retryAt: undefined },
    ],
    [
      "while a registration that was refused is tried again",
      { sync: registering({ after: { kind: "action_needed", cause: "wrong_workspace" } }) },
      { phase: "action_needed", cause: "wrong_workspace" },
    ],
  ])("%s", (_, over, expected) => {
    expect(phase(over)).toEqual(expected);
  });
});

describe("the first pull", () => {
  const part: CursorState = { ...FIRST_CURSOR, received: 20, remaining: 80 };
  const progress = (cursors: Record<string, CursorState>, sync: SyncState = online) => phase({ cursors, sync });

  test("shows how far it is, over all collections, and what it waits for", () => {
    const shown = { received: 25, expected: 105, waitingFor: ["products"] };
    for (const sync of [online, registering(), { kind: "standby" } as const])
      expect(progress({ customers: pulled, products: part }, sync)).toEqual({ phase: "first_sync", progress: shown });
  });

  test("has no expectation while the server has not said how much there is of each", () => {
    expect(progress({ customers: FIRST_CURSOR, products: part })).toMatchObject({
      progress: { received: 20, expected: undefined, waitingFor: ["customers", "products"] },
    });
  });

  test("is held up by no collection that waits for an update, but by one that is pulled all the same [H7]", () => {
    for (const waits of ["schema_older", "unknown_collection"])
      expect(progress({ customers: pulled, products: { ...part, waits } }).phase).toBe("online");
    expect(progress({ products: { ...part, waits: "schema_newer" } }).phase).toBe("first_sync");
  });

  test("is over for ever once it was complete, whatever resync follows", () => {
    expect(progress({ products: { ...part, everComplete: true } }).phase).toBe("online");
  });

  test("is not shown while the server can't be reached", () => {
    expect(progress({ products: part }, offline).phase).toBe("offline");
  });
});

describe("what every status has", () => {
  test("how much waits, of which collections, and since when", () => {
    const queue = { ...EMPTY_QUEUE, waiting: { sales: 3, products: 2 }, oldestAt: 77 };
    expect(status({ queue }).pending).toEqual({ count: 5, oldestAt: 77, byCollection: { sales: 3, products: 2 } });
    expect(status({ queue: { ...EMPTY_QUEUE, oldestAt: 77 } }).pending.oldestAt).toBeUndefined();
  });

  test("what needs a person", () => {
    const attention = { conflicts: 1, rejected: 2, quarantined: 3 };
    expect(status({ queue: { ...EMPTY_QUEUE, ...attention } }).attention).toEqual(attention);
  });

  test("the collections that wait for an update", () => {
    const cursors = { products: { ...pulled, waits: "schema_newer" }, customers: pulled };
    expect(status({ cursors }).waiting).toEqual([{ collection: "products", cause: "schema_newer" }]);
    expect(status().waiting).toEqual([]);
  });

  test("when the server last answered, and its clock", () => {
    const point = { ...FIRST_SYNC_POINT, lastPushAt: 5, lastPullAt: 6 };
    expect(status({ point })).toMatchObject({ lastPushAt: 5, lastPullAt: 6, clock: healthy.clock });
  });

  const known = (persisted: boolean, usedBytes?: number, quotaBytes?: number) => ({ persisted, usedBytes, quotaBytes });
  test.each([
    ["nothing is known of it", undefined, undefined],
    ["it is safe", { persisted: true, usedBytes: 950, quotaBytes: 1_000 }, undefined],
    ["the platform may delete it", { persisted: false, usedBytes: 950, quotaBytes: 1_000 }, "eviction"],
    ["the platform may delete it, and says no more", known(false), "eviction"],
    ["more than 95 % of its room is used", { persisted: true, usedBytes: 951, quotaBytes: 1_000 }, "full"],
    ["a write found no room", { persisted: true, usedBytes: 1, quotaBytes: 1_000, full: true }, "full"],
    ["how much may be used is not known", known(true, 951), undefined],
    ["how much is used is not known", known(true, undefined, 1_000), undefined],
  ] as const satisfies readonly (readonly [string, StatusInput["storage"], unknown])[])(
    "the risk to the store: %s",
    (_, storage, atRisk) => {
      const { usedBytes, quotaBytes, persisted } = storage ?? known(false);
      expect(status({ storage }).storage).toEqual({ persisted, usedBytes, quotaBytes, atRisk });
    },
  );

  test("nobody can change it", () => {
    expect(Object.isFrozen(status())).toBe(true);
  });
});

describe("the next status", () => {
  test("is the same object while nothing differs, so no view is drawn anew", () => {
    const before = status();
    expect(deriveStatus(before, { ...healthy }, NOW + 5)).toBe(before);
  });

  test("keeps since when the phase is, and begins anew with another phase", () => {
    const before = status();
    const queue = { ...EMPTY_QUEUE, rejected: 1 };
    expect(deriveStatus(before, { ...healthy, queue }, NOW + 5)).toMatchObject({
      since: NOW,
      attention: { rejected: 1 },
    });
    expect(deriveStatus(before, { ...healthy, sync: offline }, NOW + 5).since).toBe(NOW + 5);
  });

  test("is another one if the store fails for another reason", () => {
    const [first, second] = [1, 2].map(() => new TillSyncError("storage_full", "Full.", {} as never) as never);
    const before = status({ failure: first });
    expect(deriveStatus(before, { ...healthy, failure: first }, NOW)).toBe(before);
    expect(deriveStatus(before, { ...healthy, failure: second }, NOW)).not.toBe(before);
  });
});

describe("the outcome of a `sync()`", () => {
  const counts = { pushed: 1, pulled: 2 };
  const queue = { ...EMPTY_QUEUE, waiting: { sales: 3 } };
  const outcome = (sync: SyncState, isOnline = true) => outcomeOf({ sync, online: isOnline, queue }, counts);
  const done = { outcome: "done", ...counts, remaining: 3 };

  test.each<[string, SyncState, object | undefined]>([
    ["of a loop at rest", online, done],
    ["of a stopped loop", { kind: "stopped" }, done],
    ["of a closed loop", { kind: "closed" }, done],
    ["of a tab that lets another one sync", { kind: "standby" }, done],
    ["while it pushes is not there yet", { kind: "online", lanes: { push: "busy", pull: "idle" } }, undefined],
    ["while it pulls is not there yet", { kind: "online", lanes: { push: "idle", pull: "again" } }, undefined],
    ["while it registers is not there yet", registering(), undefined],
    [
      "while one lane fails and the other runs is not there yet",
      { ...offline, lanes: { push: "idle", pull: "busy" } },
      undefined,
    ],
    [
      "of a paused loop",
      { kind: "paused", reasons: ["import"], leading: true, back: "standby" },
      { outcome: "paused", reasons: ["import"], remaining: 3 },
    ],
    ["of a failure", offline, { outcome: "offline", cause: "server_error", remaining: 3 }],
    ["where a person is needed", needsAction, { outcome: "action_needed", cause: "auth_required", remaining: 3 }],
  ])("%s", (_, sync, expected) => {
    expect(outcome(sync)).toEqual(expected);
  });

  test("without a network", () => {
    expect(outcome(offline, false)).toEqual({ outcome: "offline", cause: "no_network", remaining: 3 });
  });
});
