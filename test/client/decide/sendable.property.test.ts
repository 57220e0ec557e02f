/** Whatever a local write accepts, the protocol's own schema accepts, also with all that may be added to it later [M1]. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import { toWire } from "../../../src/client/decide/wire.ts";
import { LIMITS } from "../../../src/protocol/constants.ts";
import { parseOperation } from "../../../src/protocol/operation.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { jsonBytes } from "../../../src/shared/json.ts";
import { times } from "../../support/property.ts";
import { tea } from "../../support/shop.ts";
import { create, DecisionTill, increment, remove, update } from "../support/decision-till.ts";

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;

/** Ids around what the wire takes: empty, too long, with other characters. */
const id = fc.oneof(
  fc.constantFrom("p-1", "p-2"),
  fc.string({ unit: fc.constantFrom("a", "Z", "9", "_", "-"), minLength: 0, maxLength: 66 }),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);
/** Texts whose bytes lie around the limit of an operation, and short ones with anything in them. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("x", "€", "\u0001", '"'), fc.integer({ min: 225 * 1024, max: 264 * 1024 }))
      .map(([unit, bytes]) => unit.repeat(Math.floor(bytes / (jsonBytes(JSON.stringify(unit)) - 2)))),
  },
);
const change: fc.Arbitrary<LocalChange> = fc.oneof(
  // A create's data was checked by whoever made the change: here it is only large.
  fc.tuple(id, text).map(([at, note]) => create("products", at, { ...tea, note: note.replace(/[^ -~€]/g, "") })),
  fc.tuple(id, text).map(([at, note]) => update("products", at, { note })),
  fc.tuple(id, fc.integer({ min: -3, max: 3 })).map(([at, stock]) => increment("products", at, { stock })),
  id.map((at) => remove("products", at)),
);

/** The most that a restore adds: what a server may assign, and the longest receipt. No epoch of tillsync's is as long. */
const acknowledged = {
  epoch: "e".repeat(512),
  version: Number.MAX_SAFE_INTEGER,
  assigned: { orderNumber: "9".repeat(LIMITS.assignedBytes - JSON.stringify({ orderNumber: "" }).length) },
  schemaVersion: Number.MAX_SAFE_INTEGER,
  receipt: "f".repeat(128),
};

test("what is accepted can be sent, now, and after it was superseded to the limit and a restore has lost it", () => {
  const holds = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
    const till = new DecisionTill();
    till.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7 } });
    let minted: ReturnType<DecisionTill["write"]>;
    try {
      minted = till.write(changes);
    } catch (error) {
      expect(isTillSyncError(error)).toBe(true);
      return;
    }
    const many = Array.from({ length: LIMITS.transactionOperations }, (_, n) => uuid(n + 1));
    for (const operation of minted)
      for (const [after, more] of [
        [[], { actor: "€".repeat(128) }],
        // Of all characters these are the longest ones in JSON.
        [many, { actor: "\u0001".repeat(128), group: "t".repeat(64), supersedes: many, acknowledged }],
      ] as const) {
        const wire = toWire({ operation: { ...operation, ...more, id: uuid(0), branch: "b".repeat(64) }, after });
        const parsed = parseOperation(JSON.parse(JSON.stringify(wire)));
        expect(parsed.ok ? [] : parsed.issues).toEqual([]);
        expect(jsonBytes(JSON.stringify(wire))).toBeLessThanOrEqual(LIMITS.operationBytes);
      }
  });
  fc.assert(holds, times(150));
});
