/** Who it says it is: another branch, person, transaction or operation. */
import { BRANCHES, CUSTOMERS, PRODUCTS } from "../sim-shop.ts";
import type { Lie } from "./lie.ts";
import { baseFor, said, saleBy } from "./writing.ts";

const BRANCH_CLAIMS = [...BRANCHES, "nowhere", "", "__proto__"] as const;

export const claims: readonly Lie[] = [
  {
    kind: "claimed_branch",
    weight: 3,
    async tell(liar, draw) {
      const branch = draw.pick(BRANCH_CLAIMS);
      const id = draw.pick(["seat-1", "seat-2", "seat-3", "seat-4"]);
      const seat = { collection: "seats", entityId: id, branch };
      const baseVersion = baseFor(liar, draw, "seats", id);
      return said(
        await liar.push([
          { ...saleBy(liar, draw), branch },
          liar.operation({ ...seat, action: "update", baseVersion, patch: { name: "Lie" } }),
          liar.operation({ ...seat, action: "create", data: { name: "Lie", branch: draw.pick(BRANCHES) } }),
        ]),
      );
    },
  },
  {
    kind: "claimed_actor",
    weight: 1,
    tell: async (liar, draw) =>
      said(await liar.push([{ ...saleBy(liar, draw), actor: draw.pick(["boss", "till-1", "", 7, null]) }])),
  },
  {
    /** The transaction of another till, so that one is released with the other. */
    kind: "claimed_transaction",
    weight: 3,
    async tell(liar, draw) {
      const bound = liar.others((row) => row.transaction !== undefined);
      if (bound.length === 0) return undefined;
      // Rather one that somebody will release.
      const aside = bound.filter(({ status }) => status === "quarantined");
      const { transaction } = draw.pick(aside.length > 0 ? aside : bound);
      const step = { collection: "products", entityId: draw.pick(PRODUCTS), action: "increment", by: { stock: 5 } };
      const refund = { saleId: "none", productId: draw.pick(PRODUCTS), quantity: 1, doubtful: false };
      return said(
        await liar.push([
          liar.operation({ ...step, transaction }),
          liar.operation({
            collection: "refunds",
            entityId: liar.uuid(),
            action: "create",
            data: refund,
            transaction,
          }),
        ]),
      );
    },
  },
  {
    /** The id of another's operation, with another payload or with its own. */
    kind: "used_id",
    weight: 3,
    async tell(liar, draw) {
      const known = liar.heardOf();
      if (known.length === 0) return undefined;
      const one = draw.pick(known);
      const payload = draw.pick([
        { ...one, sequence: liar.sequence() },
        { ...saleBy(liar, draw), id: one.id },
        { ...one, sequence: liar.sequence(), actor: "u-liar" },
        { id: one.id, sequence: liar.sequence(), collection: one.collection, action: "nonsense" },
      ]);
      return said(await liar.push([payload as never, payload as never].slice(0, 1)));
    },
  },
  {
    kind: "after_loop",
    weight: 2,
    async tell(liar, draw) {
      const [a, b] = [saleBy(liar, draw), saleBy(liar, draw)];
      const others = liar.others().map(({ id }) => id);
      const loop = [
        { ...a, after: [b.id] },
        { ...b, after: [a.id] },
        { ...saleBy(liar, draw), after: [liar.uuid(), ...others].slice(0, draw.pick([1, 2, 100])) },
      ];
      const own = saleBy(liar, draw);
      return said(await liar.push([...loop, { ...own, after: [own.id] }]));
    },
  },
  {
    /** Not of the protocol at all. */
    kind: "malformed",
    weight: 2,
    async tell(liar, draw) {
      const operation = draw.pick([
        { ...saleBy(liar, draw), data: null },
        { ...saleBy(liar, draw), data: "text", unset: "all" },
        { ...saleBy(liar, draw), by: { stock: 1 } },
        { ...saleBy(liar, draw), sequence: -1 },
        { ...saleBy(liar, draw), schemaVersion: draw.pick([0, 99, "1"]) },
        { ...saleBy(liar, draw), supersedes: "all" },
        { ...saleBy(liar, draw), occurredAt: "yesterday", acknowledged: 7 },
        liar.operation({ collection: "customers", entityId: draw.pick(CUSTOMERS), action: "increment", by: {} }),
        liar.operation({ collection: "nowhere", entityId: "x", action: "create", data: { text: "Lie" } }),
        { id: liar.uuid() },
      ]);
      return said(await liar.push([operation]));
    },
  },
];
