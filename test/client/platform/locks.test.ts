/**
 * Taking turns among tabs with Web Locks. The platform's own locks are tested in test/browser; this file tests what is
 * built on them.
 */
import { expect, test } from "vitest";
import { locks } from "../../../src/client/platform/locks.ts";
import type { Lease } from "../../../src/client/ports/coordinator.ts";
import { deferred } from "../../../src/shared/deferred.ts";
import { fakeClock } from "../../../src/testing/fake-clock.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { Browser, type Tab } from "../support/tabs.ts";

const unused: Lease = {
  take: () => Promise.reject(new Error("There are locks.")),
  give: () => Promise.reject(new Error("There are locks.")),
};

function kit() {
  const clock = fakeClock();
  const browser = new Browser();
  const log: string[] = [];
  let seed = 0;
  const enter = (name: string, tab: Tab = browser.tab(), channel = tab.channel) => {
    const random = seededRandom(++seed);
    const coordinator = locks({ locks: tab.locks, channel, clock, random });
    const done = deferred<void>();
    const abort = new AbortController();
    const over = coordinator.exclusive(
      "shop",
      abort.signal,
      async (lost) => {
        log.push(`${name} has it`);
        lost.addEventListener("abort", () => log.push(`${name} lost it`));
        await done.promise;
        log.push(`${name} is done`);
      },
      unused,
    );
    over.catch(() => {});
    return { tab, over, done, abort };
  };
  return { clock, log, enter, questions: () => browser.posted.filter((word) => word === "anybody?").length };
}

test("tabs take turns in the order in which they came", async () => {
  const { clock, log, enter } = kit();
  const [a, b, c] = [enter("a"), enter("b"), enter("c")];
  await clock.settle();
  a.done.resolve();
  await a.over;
  b.done.resolve();
  await b.over;
  await clock.settle();
  expect(log).toEqual(["a has it", "a is done", "b has it", "b is done", "c has it"]);
  c.done.resolve();
  await c.over;
});

test("a holder that answers keeps its turn, however long it takes", async () => {
  const { clock, log, enter } = kit();
  const [a, b] = [enter("a"), enter("b")];
  await clock.advance(10 * 60_000);
  expect(log).toEqual(["a has it"]);
  a.done.resolve();
  b.done.resolve();
  await Promise.all([a.over, b.over]);
});

test("a holder that is silent loses its turn within a quarter of a minute, and hears of it when it wakes", async () => {
  const { clock, log, enter } = kit();
  const [a, b] = [enter("a"), enter("b")];
  await clock.settle();
  a.tab.freeze();
  await clock.advance(15_000);
  expect([...log].sort()).toEqual(["a has it", "a lost it", "b has it"]);
  a.tab.thaw();
  a.done.resolve();
  await a.over;
  b.done.resolve();
  await b.over;
  expect(log.slice(3)).toEqual(["a is done", "b is done"]);
});

test("of many who wait, one takes the turn of a silent holder, and the others wait on", async () => {
  const { clock, log, enter } = kit();
  const all = ["a", "b", "c", "d", "e"].map((name) => enter(name));
  await clock.settle();
  all[0]?.tab.freeze();
  await clock.advance(5 * 60_000);
  expect([...log].sort()).toEqual(["a has it", "a lost it", expect.stringMatching(/^[b-e] has it$/)]);
  for (const { done } of all) done.resolve();
  await Promise.all(all.map(({ over }) => over));
});

test("however many wait, the holder is asked no more than once in a pause", async () => {
  const { clock, enter, questions } = kit();
  const all = ["a", "b", "c", "d", "e"].map((name) => enter(name));
  await clock.advance(60_000);
  expect(questions()).toBeGreaterThan(10);
  expect(questions()).toBeLessThanOrEqual(40);
  for (const { done } of all) done.resolve();
  await Promise.all(all.map(({ over }) => over));
});

test("one who waits and leaves is out of the line, and rejects with the reason", async () => {
  const { clock, log, enter } = kit();
  const [a, b, c] = [enter("a"), enter("b"), enter("c")];
  await clock.settle();
  b.abort.abort(new Error("closed"));
  await expect(b.over).rejects.toThrow("closed");
  a.done.resolve();
  await a.over;
  await clock.settle();
  expect(log).toEqual(["a has it", "a is done", "c has it"]);
  c.done.resolve();
  await c.over;
});

test("work that throws gives the turn on, and its error to whoever asked for it", async () => {
  const { clock, log, enter } = kit();
  const [a, b] = [enter("a"), enter("b")];
  a.done.reject(new Error("the store failed"));
  await expect(a.over).rejects.toThrow("the store failed");
  await clock.settle();
  expect(log).toEqual(["a has it", "b has it"]);
  b.done.resolve();
  await b.over;
});

test("without a channel nobody can be asked, and nobody's turn is taken away", async () => {
  const { clock, log, enter } = kit();
  const [a, b] = [enter("a", undefined, undefined), enter("b", undefined, undefined)];
  await clock.advance(60_000);
  expect(log).toEqual(["a has it"]);
  a.done.resolve();
  b.done.resolve();
  await Promise.all([a.over, b.over]);
});

test("a lock that the platform refuses is an error at once", async () => {
  const { clock } = kit();
  const refusal = new DOMException("The document is not fully active.", "InvalidStateError");
  const coordinator = locks({
    locks: { request: () => Promise.reject(refusal) },
    channel: undefined,
    clock,
    random: seededRandom(1),
  });
  const over = coordinator.exclusive("shop", new AbortController().signal, () => Promise.resolve(), unused);
  await expect(over).rejects.toBe(refusal);
});
