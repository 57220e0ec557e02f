/** Receipts of results: what each proves, and where they are [C8.5]. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { OperationResult } from "../../../src/protocol/types.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { isReceiptOf, type Receipted, receiptOf, withReceipts } from "../../../src/server/tokens/receipt.ts";
import { Seal } from "../../../src/server/tokens/seal.ts";
import { systemDigest } from "../../../src/shared/digest.ts";
import { deepEqual } from "../../../src/shared/json.ts";
import { times } from "../../support/property.ts";
import { uuid } from "../support/world.ts";

const newSeal = () => new Seal(memoryStore(), systemDigest);

/** Few values of each, so that two drawings often differ in one member only. Some contain what separates the members. */
const assigned = fc.option(fc.constantFrom({}, { a: 1 }, { a: 1, b: 2 }, { a: "1" }, { a: null }), { nil: undefined });
const word = fc.constantFrom("a", "b", 'a","b', "a b", "");
const receipted: fc.Arbitrary<Receipted> = fc.record({
  ...{ tenant: word, id: word, hash: word, epoch: word },
  ...{ version: fc.nat(2), assigned, schemaVersion: fc.option(fc.nat(2), { nil: undefined }) },
});
/** Without assigned values there is nothing whose schema could differ. */
const meaning = ({ assigned, schemaVersion, ...rest }: Receipted) =>
  ({ ...rest, ...(assigned !== undefined && { assigned, schemaVersion }) }) as never;

test("a receipt proves what it was made for, and nothing that differs in any member", async () => {
  const seal = newSeal();
  await fc.assert(
    fc.asyncProperty(receipted, receipted, async (one, other) => {
      const receipt = await receiptOf(seal, one);
      expect(receipt).toMatch(/^[0-9a-f]{32}$/);
      expect(await isReceiptOf(seal, other, receipt)).toBe(deepEqual(meaning(one), meaning(other)));
    }),
    times(500),
  );
});

const said = { tenant: "shop", id: uuid(1), hash: "00", epoch: "e1", version: 7 };

test("the order of the assigned values proves nothing: JSON keeps it, a store may not", async () => {
  const seal = newSeal();
  const receipt = await receiptOf(seal, { ...said, assigned: { a: 1, b: 2 } });
  expect(await isReceiptOf(seal, { ...said, assigned: { b: 2, a: 1 } }, receipt)).toBe(true);
});

test("another database's receipt proves nothing, nor does a text of any other form", async () => {
  const [seal, other] = [newSeal(), newSeal()];
  for (const receipt of [await receiptOf(other, said), "", "x", "0".repeat(32), `${await receiptOf(seal, said)}0`])
    expect(await isReceiptOf(seal, said, receipt)).toBe(false);
});

test("only applied results have one, and only where the payload is known", async () => {
  const seal = newSeal();
  const error = { code: "odd", message: "" };
  const results: readonly OperationResult[] = [
    { id: uuid(1), status: "applied", version: 7, assigned: { n: 1 }, schemaVersion: 2, replayed: true },
    { id: uuid(2), status: "rejected", error },
    { id: uuid(3), status: "quarantined", error },
    { id: uuid(4), status: "conflict", conflictId: "k", fields: [], server: { version: 0, deleted: true } },
    { id: uuid(5), status: "blocked", by: [] },
    { id: uuid(6), status: "applied", version: 8 },
    { id: uuid(7), status: "applied", version: 9 },
  ];
  // A placeholder has an empty one.
  const hashes = new Map(results.map(({ id }) => [id, id === uuid(6) ? "" : "00"]));
  hashes.delete(uuid(7));
  const receipt = await receiptOf(seal, { ...said, assigned: { n: 1 }, schemaVersion: 2 });
  const [first, ...others] = results;
  expect(await withReceipts(seal, { tenant: "shop", epoch: "e1", results, hashes })).toEqual([
    { ...first, receipt },
    ...others,
  ]);
});
