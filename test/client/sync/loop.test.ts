/** The loop: an effect reports back once, an aborted effect does not report, and nothing happens after `close`. */
import { expect, test } from "vitest";
import type { MachineEvent } from "../../../src/client/decide/sync-machine.ts";
import { inProcess } from "../../../src/client/platform/in-process.ts";
import { leases } from "../../../src/client/platform/leases.ts";
import { type LoopDeps, SyncLoop } from "../../../src/client/sync/loop.ts";
import { type Deferred, deferred } from "../../../src/shared/deferred.ts";
import { fakeClock } from "../../../src/testing/fake-clock.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

let scopes = 0;
/** A loop whose requests are answered by hand. */
function loopWith(over: Partial<LoopDeps> = {}) {
  const clock = fakeClock();
  const log: string[] = [];
  const waiting: Record<string, Deferred<MachineEvent>[]> = { register: [], push: [], pull: [] };
  const request = (kind: "register" | "push" | "pull") => (fence: number, signal: AbortSignal) => {
    log.push(`${kind} ${fence}`);
    const answer = deferred<MachineEvent>();
    waiting[kind]?.push(answer);
    signal.addEventListener("abort", () => log.push(`abort ${kind}`));
    return answer.promise;
  };
  let fence = 0;
  scopes += 1;
  const loop = new SyncLoop({
    clock,
    random: seededRandom(1),
    coordinator: inProcess,
    scope: `loop-${scopes}`,
    lease: { take: async () => true, give: async () => {} },
    options: { intervalMs: 30_000, minMs: 1_000, maxMs: 60_000 },
    takeFence: async () => ++fence,
    register: request("register"),
    push: request("push"),
    pull: request("pull"),
    changed: ({ kind }) => log.push(`→ ${kind}`),
    failed: (error) => log.push(`error ${(error as Error).message}`),
    ...over,
  });
  const answer = async (kind: "register" | "push" | "pull", event: MachineEvent) => {
    waiting[kind]?.shift()?.resolve(event);
    await clock.settle();
  };
  return { loop, clock, log, waiting, answer };
}
const online = async (kit: ReturnType<typeof loopWith>) => {
  kit.loop.dispatch({ kind: "start" });
  await kit.clock.settle();
  await kit.answer("register", { kind: "registered" });
};

test("takes its turn, introduces the store, then asks in both lanes", async () => {
  const kit = loopWith();
  await online(kit);
  expect(kit.log).toEqual(["→ standby", "register 1", "→ registering", "push 1", "pull 1", "→ online"]);
  await kit.answer("push", { kind: "pushed", more: false });
  await kit.answer("pull", { kind: "pulled", more: false });
  await kit.loop.close();
});

test("an answer that comes after its request was aborted reports to nobody", async () => {
  const kit = loopWith();
  await online(kit);
  const [late] = kit.waiting.push ?? [];
  kit.loop.dispatch({ kind: "pause", reason: "x" });
  kit.loop.dispatch({ kind: "resume", reason: "x" });
  await kit.clock.settle();
  const before = kit.loop.state;
  late?.resolve({ kind: "pushed", more: true });
  await kit.clock.settle();
  expect(kit.loop.state).toBe(before);
  await kit.answer("register", { kind: "registered" });
  expect(kit.log.filter((line) => line.startsWith("push "))).toEqual(["push 1", "push 1"]);
  for (const pull of kit.waiting.pull ?? []) pull.resolve({ kind: "pulled", more: false });
  for (const push of kit.waiting.push ?? []) push.resolve({ kind: "pushed", more: false });
  await kit.loop.close();
});

test.each(["register", "push", "pull"] as const)(
  "a %s that throws is told, shown as the device's own fault, and tried again like an outage",
  async (lane) => {
    const kit = loopWith({ [lane]: () => Promise.reject(new Error("the store failed")) });
    await online(kit);
    for (const kind of ["push", "pull"] as const) await kit.answer(kind, { kind: `${kind}ed`, more: false });
    expect(kit.log).toContain("error the store failed");
    expect(kit.loop.state).toMatchObject({ kind: "offline", cause: "device_error" });
    expect(kit.loop.retryAt).toBeGreaterThan(kit.clock.now());
    await kit.loop.close();
  },
);

test("close resolves only when what was begun is over", async () => {
  const kit = loopWith();
  await online(kit);
  let closed = false;
  const closing = kit.loop.close().then(() => {
    closed = true;
  });
  await kit.answer("push", { kind: "pushed", more: true });
  expect(closed).toBe(false);
  await kit.answer("pull", { kind: "pulled", more: true });
  await closing;
  expect(kit.log.at(-1)).toBe("→ closed");
});

test("after close no timer runs and no event counts", async () => {
  const kit = loopWith();
  await online(kit);
  await kit.answer("push", { kind: "pushed", more: false });
  await kit.answer("pull", { kind: "pulled", more: false });
  await kit.loop.close();
  const { length } = kit.log;
  kit.loop.dispatch({ kind: "wake", why: "manual" });
  await kit.clock.advance(600_000);
  expect([kit.log.length, kit.loop.state]).toEqual([length, { kind: "closed" }]);
});

test("the turn goes to the next one when it is given up, with a higher fence", async () => {
  let fence = 0;
  const shared = { scope: "shared", takeFence: async () => ++fence };
  const first = loopWith(shared);
  const second = loopWith(shared);
  first.loop.dispatch({ kind: "start" });
  second.loop.dispatch({ kind: "start" });
  await first.clock.settle();
  expect([first.loop.state.kind, second.loop.state.kind]).toEqual(["registering", "standby"]);
  const closing = first.loop.close();
  await first.answer("register", { kind: "registered" });
  await closing;
  await second.clock.settle();
  expect(second.log).toContain("register 2");
  const done = second.loop.close();
  await second.answer("register", { kind: "registered" });
  await done;
});

test("the turn is asked for again when the one before has been given back, and not before", async () => {
  const turns: string[] = [];
  const lease = {
    take: async () => {
      turns.push("take");
      return true;
    },
    give: async () => void turns.push("give"),
  };
  const clock = fakeClock();
  const kit = loopWith({ lease, coordinator: leases({ channel: undefined, clock, random: seededRandom(1) }) });
  kit.loop.dispatch({ kind: "start" });
  await kit.clock.settle();
  kit.loop.dispatch({ kind: "lost" });
  await kit.clock.settle();
  expect(turns).toEqual(["take", "give", "take"]);
  const closing = kit.loop.close();
  await kit.answer("register", { kind: "registered" });
  await kit.answer("register", { kind: "registered" });
  await closing;
});
