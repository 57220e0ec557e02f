import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../src/protocol/constants.ts";
import type { WireOperation } from "../../../../src/protocol/types.ts";
import {
  headOf,
  keptOperation,
  MAX_KEPT_DEPTH,
  type PreparedOperation,
} from "../../../../src/server/decide/operation/prepared-operation.ts";
import { prepared, product, ServerWorld, sale, uuid } from "../../support/world.ts";

/** An operation that is malformed, because it has no `data`. */
const malformed = (members: object): PreparedOperation => ({
  id: uuid(1),
  raw: { id: uuid(1), action: "create", ...members } as never,
  parsed: { ok: false, issues: [] },
  hash: "00",
  bytes: 0,
  acknowledgedIsAuthentic: false,
});
/** An array in an array, and so on. */
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe("of a malformed operation, the columns are", () => {
  test("what it names, as far as that is of the protocol", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sent = await till.send({ ...sale("s-1"), data: 5, transaction: "t-1" });
    expect(sent).toMatchObject({ status: "quarantined", error: { code: "malformed" } });
    expect(await world.operation(sent.id)).toMatchObject({
      sequence: 1,
      collection: "sales",
      entityId: "s-1",
      transaction: "t-1",
      operation: { data: 5 },
    });
  });
  test.each([0, -1, 1.5, 2 ** 53, "1", undefined])("no sequence number of %s", (sequence) => {
    expect(headOf(malformed({ sequence })).sequence).toBeUndefined();
  });
  test("empty where it names what can't be a name", () => {
    expect(headOf(malformed({ sequence: 1, collection: "no name", entityId: 5, transaction: "t 1" }))).toEqual({
      sequence: 1,
      collection: "",
      entityId: "",
      transaction: undefined,
    });
  });
});

describe("an operation is kept (L1, L12)", () => {
  const valid = prepared({
    ...product("p-1"),
    id: uuid(2),
    sequence: 1,
    schemaVersion: 1,
    occurredAt: "2026-11-20T08:00:00.000Z",
  } as unknown as WireOperation);

  test("as it was parsed, up to the size that one may have", () => {
    expect(valid.parsed.ok).toBe(true);
    expect(keptOperation({ ...valid, bytes: LIMITS.operationBytes })).toBe(valid.parsed.ok && valid.parsed.value);
  });
  test("as it was received, if it is malformed and can be stored", () => {
    const one = malformed({ data: nested(MAX_KEPT_DEPTH - 2) });
    expect(keptOperation({ ...one, bytes: LIMITS.operationBytes })).toBe(one.raw);
  });
  test("as its text, if it nests too deep or no database could store it", () => {
    for (const data of [nested(MAX_KEPT_DEPTH + 1), "\u0000"]) {
      const one = malformed({ data });
      expect(keptOperation(one)).toEqual({ id: one.id, raw: JSON.stringify(one.raw) });
      expect(keptOperation({ ...one, text: "as it came" })).toEqual({ id: one.id, raw: "as it came" });
    }
  });
  test("by its start, if it is larger than one may be, with its size", () => {
    const bytes = LIMITS.operationBytes + 1;
    for (const one of [valid, malformed({ data: 1 })]) {
      expect(keptOperation({ ...one, bytes, text: "x".repeat(bytes) })).toEqual({
        id: one.id,
        raw: "x".repeat(LIMITS.operationBytes),
        bytes,
      });
    }
  });
  test("never by half of a character, which no database accepts", () => {
    const bytes = LIMITS.operationBytes + 2;
    const text = `${"x".repeat(LIMITS.operationBytes - 3)}😀😀`;
    const { raw } = keptOperation({ ...valid, bytes, text }) as unknown as { raw: string };
    expect(raw).toBe(`${"x".repeat(LIMITS.operationBytes - 3)}😀`);
  });
});
