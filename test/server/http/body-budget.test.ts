/** How much of bodies is in memory: what arrives, and what is served (L12). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BodyBudget, type BodyShare } from "../../../src/server/http/body-budget.ts";

/** What every served request counts besides its text. */
const BESIDES = 64 * 1024;

/** A share, and what became of it. */
function body(budget: BodyBudget, tenant: string, bytes = 0) {
  const share = budget.share(tenant);
  let stopped = false;
  share.onRefused(() => {
    stopped = true;
  });
  let state = "arriving";
  const serve = (upTo = bytes) => {
    state = "waiting";
    share.serve(upTo).then(
      () => {
        state = "served";
      },
      ({ code }) => {
        state = code;
      },
    );
  };
  if (bytes > 0) share.received(bytes);
  return { share, serve, state: () => state, isStopped: () => stopped };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const refusal = (share: BodyShare, bytes: number) => {
  try {
    return share.received(bytes);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("what is being served", () => {
  const small = () => new BodyBudget({ servedBytes: 2 * BESIDES + 100 });

  test("is as much as fits; the next one is served when one is done", async () => {
    const budget = small();
    const [a, b, c] = [body(budget, "x", 50), body(budget, "x", 50), body(budget, "x", 50)];
    for (const { serve } of [a, b, c]) serve();
    await settled();
    expect([a, b, c].map(({ state }) => state())).toEqual(["served", "served", "waiting"]);
    a.share.done();
    await settled();
    expect(c.state()).toBe("served");
  });

  test("makes room when a text turns out to be smaller than it might have been", async () => {
    const budget = new BodyBudget({ servedBytes: 2 * BESIDES + 1_000 });
    const [a, b] = [body(budget, "x", 1), body(budget, "x", 1)];
    a.serve(1_000);
    b.serve(900);
    await settled();
    expect(b.state()).toBe("waiting");
    a.share.has(100);
    await settled();
    expect(b.state()).toBe("served");
  });

  test("is a single one, if that is larger than all may be", async () => {
    const budget = small();
    const [huge, next] = [body(budget, "x", 1), body(budget, "y", 1)];
    huge.serve(1e9);
    next.serve();
    await settled();
    expect([huge.state(), next.state()]).toEqual(["served", "waiting"]);
    huge.share.done();
    await settled();
    expect(next.state()).toBe("served");
  });

  test("comes in turns: a tenant that has nothing served is before one that has, whoever came first", async () => {
    const budget = small();
    const flood = Array.from({ length: 10 }, () => body(budget, "flood", 50));
    for (const { serve } of flood) serve();
    const other = body(budget, "other", 50);
    other.serve();
    flood[0]?.share.done();
    await settled();
    expect(other.state()).toBe("served");
    expect(flood.filter(({ state }) => state() === "served")).toHaveLength(2);
  });

  test("is not held up by a body that is still arriving, or whose sender has gone", async () => {
    const budget = small();
    for (let n = 0; n < 5; n++) body(budget, "slow", 90);
    const gone = body(budget, "slow", 1);
    gone.serve(1e9);
    gone.share.done();
    const other = body(budget, "slow", 50);
    other.serve();
    await settled();
    expect(other.state()).toBe("served");
  });
});

describe("what has arrived and waits", () => {
  const small = () => new BodyBudget({ waitingBytes: 100 });

  test("is bounded: the newest of the tenant that has most is refused and stopped, with when to come back", async () => {
    const budget = small();
    const [first, second] = [body(budget, "flood", 45), body(budget, "flood", 45)];
    const other = body(budget, "other", 20);
    expect([first.isStopped(), second.isStopped(), other.isStopped()]).toEqual([false, true, false]);
    expect(refusal(second.share, 0)).toBe("unavailable");
    expect(refusal(other.share, 10)).toBe(undefined);
    await expect(second.share.serve(1)).rejects.toMatchObject({
      code: "unavailable",
      more: { headers: { "retry-after": "5" } },
    });
  });

  test("may be the one that asks for too much itself", () => {
    const budget = small();
    body(budget, "other", 30);
    expect(refusal(body(budget, "flood", 40).share, 40)).toBe("unavailable");
  });

  test("is refused while it waits for its turn, too", async () => {
    const budget = new BodyBudget({ waitingBytes: 100, servedBytes: 1 });
    body(budget, "flood", 10).serve();
    const waiting = body(budget, "flood", 90);
    waiting.serve();
    body(budget, "other", 20);
    await settled();
    expect([waiting.state(), waiting.isStopped()]).toEqual(["unavailable", true]);
  });

  test("is nothing once it is served, or done", () => {
    const budget = small();
    for (let n = 0; n < 10; n++) body(budget, "x", 90).serve();
    for (let n = 0; n < 10; n++) body(budget, "x", 90).share.done();
    expect(refusal(body(budget, "x", 90).share, 0)).toBe(undefined);
  });
});

test("whatever comes and goes: both bounds hold, and everybody is served or refused in the end", async () => {
  const bytes = fc.integer({ min: 1, max: 60 });
  const step = fc.record({ tenant: fc.constantFrom("a", "b", "c"), at: fc.nat(20), bytes, does: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const [waitingBytes, servedBytes] = [100, 2 * BESIDES + 80];
      const budget = new BodyBudget({ waitingBytes, servedBytes });
      const all: { of: ReturnType<typeof body>; waiting: number; served: number; isDone: boolean }[] = [];
      const sum = (what: "waiting" | "served") =>
        all.reduce((total, one) => {
          const counts = what === "served" ? one.of.state() === "served" : !/served|unav/.test(one.of.state());
          return total + (counts && !one.isDone && !(what === "waiting" && one.of.isStopped()) ? one[what] : 0);
        }, 0);
      for (const { tenant, at, bytes, does } of steps) {
        const one = all[at % Math.max(1, all.length)];
        if (does === 0 || one === undefined)
          all.push({ of: body(budget, tenant), waiting: 0, served: 0, isDone: false });
        else if (one.isDone) continue;
        else if (does === 1 && one.of.state() === "arriving") {
          if (refusal(one.of.share, bytes) === undefined) one.waiting += bytes;
        } else if (does === 2 && one.of.state() === "arriving") {
          one.served = bytes + BESIDES;
          one.of.serve(bytes);
        } else if (does === 3) {
          one.isDone = true;
          one.of.share.done();
        }
        await settled();
        expect(sum("waiting")).toBeLessThanOrEqual(waitingBytes);
        expect(sum("served")).toBeLessThanOrEqual(servedBytes);
      }
      for (const { of } of all) if (of.state() === "arriving") of.serve(1);
      for (let left = all.length; left > 0; left--) {
        await settled();
        for (const one of all.filter(({ of }) => of.state() === "served")) one.of.share.done();
      }
      await settled();
      for (const { of, isDone } of all) if (!isDone) expect(of.state()).toMatch(/served|unavailable/);
    }),
    { numRuns: 200 },
  );
});
