/** Taking turns among tabs without locks: a lease that expires. */
import { expect, test } from "vitest";
import { decideLease, type StoredLease } from "../../../src/client/decide/lease.ts";
import { leases } from "../../../src/client/platform/leases.ts";
import type { Lease } from "../../../src/client/ports/coordinator.ts";
import { deferred } from "../../../src/shared/deferred.ts";
import { fakeClock } from "../../../src/testing/fake-clock.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

function kit() {
  const clock = fakeClock();
  const log: string[] = [];
  const store: { lease: StoredLease | undefined } = { lease: undefined };
  const frozen = new Set<string>();
  const enter = (name: string) => {
    const lease: Lease = {
      async take(ms) {
        if (frozen.has(name)) return new Promise(() => {});
        const next = decideLease(store.lease, name, clock.now(), ms);
        store.lease = next ?? store.lease;
        return next !== undefined;
      },
      async give() {
        if (store.lease?.holder === name) store.lease = undefined;
      },
    };
    const coordinator = leases({ channel: undefined, clock, random: seededRandom(name.charCodeAt(0)) });
    const done = deferred<void>();
    const abort = new AbortController();
    const work = async (lost: AbortSignal) => {
      log.push(`${name} has it`);
      lost.addEventListener("abort", () => {
        log.push(`${name} lost it`);
        done.resolve();
      });
      await done.promise;
    };
    const over = coordinator.exclusive("shop", abort.signal, work, lease);
    over.catch(() => {});
    return { over, done, abort };
  };
  return { clock, log, store, frozen, enter };
}

test("a lease is renewed for as long as it is held, and free for the next one when it is given back", async () => {
  const { clock, log, store, enter } = kit();
  const [a, b] = [enter("a"), enter("b")];
  await clock.advance(60_000);
  expect(log).toEqual(["a has it"]);
  a.done.resolve();
  await a.over;
  await clock.advance(5_000);
  expect(log).toEqual(["a has it", "b has it"]);
  b.done.resolve();
  await b.over;
  expect(store.lease).toBeUndefined();
});

test("a holder that does not renew is replaced within 20 s", async () => {
  const { clock, log, frozen, enter } = kit();
  const a = enter("a");
  await clock.settle();
  const b = enter("b");
  frozen.add("a");
  await clock.advance(20_000);
  expect(log).toEqual(["a has it", "b has it"]);
  a.done.resolve();
  b.done.resolve();
  await b.over;
});

test("whoever finds that the lease is another's by now has lost the turn, and leaves it with the other", async () => {
  const { clock, log, store, enter } = kit();
  const a = enter("a");
  await clock.settle();
  store.lease = { holder: "b", until: clock.now() + 15_000 };
  await clock.advance(5_000);
  await a.over;
  expect(log).toEqual(["a has it", "a lost it"]);
  expect(store.lease.holder).toBe("b");
});

test("one who waits and leaves rejects with the reason, and has taken nothing", async () => {
  const { clock, store, enter } = kit();
  const [a, b] = [enter("a"), enter("b")];
  await clock.settle();
  b.abort.abort(new Error("closed"));
  await expect(b.over).rejects.toThrow("closed");
  a.done.resolve();
  await a.over;
  await clock.advance(60_000);
  expect(store.lease).toBeUndefined();
});
