/** A payload has one text, and its text one payload, whoever writes it down and however often it is delivered (L3). */
import fc from "fast-check";
import { payloadOf, type WireOperation } from "tillsync/protocol";
import { expect, test } from "vitest";
import { parseOperation } from "../../src/protocol/operation.ts";
import { canonicalJson, type Json } from "../../src/shared/json.ts";
import { jsonObject, reordered } from "../support/json-values.ts";
import { times } from "../support/property.ts";

const uuid = fc.constantFrom("a1", "a2", "a3", "b1").map((end) => `019a9f3c-5e00-7000-8000-0000000000${end}`);
const id = fc.constantFrom("p-1", "p-2", "c-9", "0", "_");
const member = fc.constantFrom("fax", "note", "toString", "1");
const uuids = fc.uniqueArray(uuid, { maxLength: 3 });

/** What the payload is, by the page of the protocol. */
const shared = {
  collection: fc.constantFrom("products", "customers"),
  entityId: id,
  transaction: id,
  branch: id,
  actor: fc.constantFrom("u-7", "ü", "\u{1f600}"),
  occurredAt: fc.constantFrom("2026-11-20T08:00:00.000Z", "2026-11-20T08:00:00.001Z"),
  schemaVersion: fc.integer({ min: 1, max: 3 }),
};
/** What may differ between two deliveries of one payload. */
const delivery = {
  sequence: fc.integer({ min: 1, max: 9 }),
  after: uuids,
  acknowledged: fc.constantFrom({ epoch: "e1", version: 7 }, { epoch: "e2", version: 8, assigned: { n: 1 } }),
};
const optional = ["transaction", "branch", "actor", "after", "acknowledged", "supersedes", "unset", "force"];
function made(members: Record<string, fc.Arbitrary<unknown>>, required: readonly string[] = []) {
  const all = { id: fc.constant("019a9f3c-5e00-7000-8000-00000000000f"), ...shared, ...delivery, ...members };
  const requiredKeys = Object.keys(all).filter((name) => required.includes(name) || !optional.includes(name));
  return fc.record(all, { requiredKeys: requiredKeys as never }) as fc.Arbitrary<Record<string, Json>>;
}
const baseVersion = fc.nat(3);
const force = fc.boolean();
const kinds = [
  made({ action: fc.constant("create"), data: jsonObject, supersedes: uuids }),
  made({
    action: fc.constant("update"),
    patch: fc.dictionary(fc.constantFrom("name", "phone"), jsonObject, { noNullPrototype: true }),
    unset: fc.uniqueArray(member, { maxLength: 2 }),
    baseVersion,
    force,
    supersedes: uuids,
  }),
  made({
    action: fc.constant("increment"),
    by: fc.dictionary(member, fc.constantFrom<number | string>(1, -1, "1", "1.0", "-0.5"), {
      minKeys: 1,
      noNullPrototype: true,
    }),
    supersedes: uuids,
  }),
  made({ action: fc.constant("delete"), baseVersion, force, supersedes: uuids }),
  made({ action: fc.constant("void"), supersedes: fc.uniqueArray(uuid, { minLength: 1, maxLength: 3 }) }, [
    "supersedes",
  ]),
];
const operation = fc.oneof(...kinds);
/** Two of the same action. */
const two = fc.oneof(...kinds.map((kind) => fc.tuple(kind, kind)));
const textOf = (sent: unknown) => canonicalJson(payloadOf(sent as WireOperation));

test("the text of a payload is the same on every way it can take: members in another order, through JSON, checked by the server", () => {
  fc.assert(
    fc.property(operation, (sent) => {
      const parsed = parseOperation(JSON.parse(JSON.stringify(sent)));
      if (!parsed.ok) throw new Error(JSON.stringify(parsed));
      expect(textOf(parsed.value)).toBe(textOf(sent));
      expect(textOf(reordered(sent))).toBe(textOf(sent));
    }),
    times(300),
  );
});

test("the text of a payload is the same for two deliveries, whatever differs that is not of the payload", () => {
  fc.assert(
    fc.property(operation, fc.record({ ...delivery, force }, { requiredKeys: [] }), (sent, again) => {
      expect(textOf({ ...sent, ...again })).toBe(textOf(sent));
    }),
    times(300),
  );
});

test("the text of a payload is another one as soon as any one member of it is another", () => {
  const payload = [...Object.keys(shared), "data", "patch", "unset", "by", "baseVersion", "supersedes"];
  // An empty list says what an absent one says.
  const said = (value: Json | undefined) =>
    value === undefined || (Array.isArray(value) && value.length === 0) ? undefined : canonicalJson(value);
  fc.assert(
    fc.property(two, ([one, other]) => {
      for (const name of payload) {
        const { [name]: _, ...rest } = one;
        const changed = other[name] === undefined ? rest : { ...rest, [name]: other[name] };
        expect([name, textOf(changed) === textOf(one)]).toEqual([name, said(one[name]) === said(other[name])]);
      }
    }),
    times(300),
  );
});
