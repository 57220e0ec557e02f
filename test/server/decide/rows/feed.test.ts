/** How many of its own results a till gets with an answer [C6] [M1]. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../src/protocol/constants.ts";
import { answerBytes, type OwnResults, ownResults } from "../../../../src/server/decide/rows/feed.ts";
import type { OperationRow } from "../../../../src/server/ports/rows.ts";
import { jsonBytes } from "../../../../src/shared/json.ts";
import { quarrel, ServerWorld, sale } from "../../support/world.ts";

/** A till with three results, which has lost every answer. */
async function forgetful() {
  const world = await ServerWorld.open();
  const till = world.till();
  await till.push(sale("s-1"), sale("s-2"), sale("s-3"));
  const marks = { push: undefined, pull: undefined };
  const asked = (limitBytes?: number, sent: readonly string[] = []): Promise<OwnResults> =>
    world.decided({ decide: (ws) => ownResults(ws, { ...till.input([]), marks, limitBytes }, new Set(sent)) });
  return { asked, world };
}
const ids = ({ results }: OwnResults) => results.map(({ id }) => id);

describe("the results of an answer", () => {
  test("are all there are, each marked as said before", async () => {
    const { asked, world } = await forgetful();
    const own = await asked();
    expect(own).toMatchObject({ upTo: (await world.clock())?.position, more: false, isAhead: false });
    expect(own.results.map(({ replayed }) => replayed)).toEqual([true, true, true]);
  });

  test("are those that fill the bytes exactly", async () => {
    const { asked } = await forgetful();
    const { results } = await asked();
    // With the receipt that the service adds.
    const receipt = "0".repeat(32);
    const bytes = results
      .slice(0, 2)
      .map(({ replayed: _, ...stored }) => jsonBytes(JSON.stringify({ ...stored, receipt })));
    const limit = bytes.reduce((a, b) => a + b, 0);
    expect(ids(await asked(limit))).toEqual(ids({ results } as OwnResults).slice(0, 2));
    expect(ids(await asked(limit - 1))).toHaveLength(1);
  });

  test("are one where not even one fits: the next answer goes on behind it", async () => {
    const { asked, world } = await forgetful();
    const own = await asked(1);
    const [first] = own.results;
    expect(own).toMatchObject({ more: true, upTo: (await world.operation(first?.id ?? ""))?.feedPosition });
    expect(own.results).toHaveLength(1);
  });

  test("leave room for those of the operations that were sent with the request", async () => {
    const { asked } = await forgetful();
    const sent = Array.from({ length: LIMITS.resultsPerAnswer - 2 }, (_, n) => `sent-${n}`);
    expect(await asked(undefined, sent)).toMatchObject({ results: { length: 2 }, more: true });
  });

  test("are not those that the answer carries anyway", async () => {
    const { asked } = await forgetful();
    const [first = "", ...others] = ids(await asked());
    expect(ids(await asked(undefined, [first]))).toEqual(others);
  });
});

test("a till may ask for less than an answer holds, and not for more [M1]", () => {
  expect([undefined, 10, LIMITS.pullBytes + 1].map((limitBytes) => answerBytes({ limitBytes }))).toEqual([
    LIMITS.pullBytes,
    10,
    LIMITS.pullBytes,
  ]);
});

test("a page that is cut says so, if a row in it is as it is now and may contain the effects of later results", async () => {
  const { world, b, lost } = await quarrel();
  const row = await world.operation(lost.id);
  // As it is kept of a push that kept no copies.
  const omitted = { ...(row as OperationRow), result: { ...row?.result, server: { version: 1, omitted: true } } };
  await world.decided({ decide: (ws) => ws.putOperation(omitted as OperationRow) });
  await b.push(sale("s-1"), sale("s-2"));
  const asked = (limitBytes?: number) => {
    const marks = { push: undefined, pull: undefined };
    return world.decided({ decide: (ws) => ownResults(ws, { ...b.input([]), marks, limitBytes }) });
  };
  expect(await asked(1)).toMatchObject({
    more: true,
    isAhead: true,
    results: [{ server: { data: { name: "Cola" } } }],
  });
  expect(await asked()).toMatchObject({ more: false, isAhead: false });
});
