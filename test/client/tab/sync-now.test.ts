/** `sync()` in a client that waits for its turn: the outcome is that of the client that has it. */
import { expect, test } from "vitest";
import { SyncNow, type SyncNowDeps } from "../../../src/client/tab/sync-now.ts";

const offline = { kind: "offline", cause: "unreachable", lanes: { push: "idle", pull: "idle" } };
const busy = { kind: "offline", cause: "unreachable", lanes: { push: "running", pull: "idle" } };

test("an outcome is kept though the other client is at work again before this one has looked at the store", async () => {
  let sync: object = offline;
  const queue = { waiting: { pending: 3 } };
  const session = {
    open: async () => {},
    statusInput: () => ({ sync, online: true, queue }),
    until: async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    },
    checkStore: async () => {
      sync = busy;
    },
    status: { pending: { count: 3 } },
  };
  const tabs = { requestRound: () => "ask", leader: { answers: "ask" } };
  const clock = { sleep: () => new Promise(() => {}) };
  const deps = { session, loop: { state: { kind: "standby" } }, tabs, clock, auto: true } as unknown as SyncNowDeps;
  expect(await new SyncNow(deps).sync(undefined)).toEqual({
    outcome: "offline",
    cause: "unreachable",
    remaining: 3,
  });
});
