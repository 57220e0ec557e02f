/** It gives up, replaces and closes what others have done. */

import type { OperationRow } from "../../../src/server/ports/rows.ts";
import { CUSTOMERS, PRODUCTS, REFUSED_NAME } from "../sim-shop.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

const MOST_IDS = 250;

/** What lies on some desk, rather than what is over. */
const isOpen = ({ status, supersededBy }: OperationRow) => status !== "applied" && supersededBy === undefined;

export const replacing: readonly Lie[] = [
  {
    kind: "void_of_others",
    weight: 4,
    async tell(liar, draw) {
      const all = liar.others();
      const open = all.filter(isOpen);
      if (all.length === 0) return undefined;
      const { id, collection, entityId } = draw.pick(open.length > 0 && draw.chance(0.8) ? open : all);
      const voided = { collection, entityId, action: "void", supersedes: [id] };
      return said(await liar.push([liar.operation(voided)]));
    },
  },
  {
    kind: "supersedes_others",
    weight: 4,
    async tell(liar, draw) {
      const all = liar.others(({ operation }) => operation?.action !== "void");
      const open = all.filter(isOpen);
      if (all.length === 0) return undefined;
      const target = draw.pick(open.length > 0 && draw.chance(0.8) ? open : all);
      const { id, collection, entityId } = target;
      const head = { collection, entityId, supersedes: [id] };
      const content = /^(sales|payments|refunds)$/.test(collection)
        ? { action: "create", data: saleBy(liar, draw).data }
        : draw.pick([
            { action: "update", baseVersion: Number.MAX_SAFE_INTEGER, patch: { name: "Lie" } },
            { action: "update", baseVersion: 0, patch: { phone: "13" }, unset: ["note"] },
            { action: "delete", baseVersion: Number.MAX_SAFE_INTEGER, force: true },
            { action: "create", data: { name: "Lie", phone: null } },
          ]);
      // Refused for something else, it might take the place all the same.
      const flaw = draw.pick([{}, {}, { branch: "annex" }, { patch: 7 }, { unheard: 1 }]);
      return said(await liar.push([liar.operation({ ...head, ...content, ...flaw })]));
    },
  },
  {
    /** One that is its own, and behind it one of another. */
    kind: "supersedes_chain",
    weight: 2,
    async tell(liar, draw) {
      const others = liar.others((row) => row.collection === "sales" && isOpen(row));
      const own = saleBy(liar, draw, { doubtful: true });
      const entityId = others.length > 0 ? draw.pick(others).entityId : own.entityId;
      const first = { ...own, entityId };
      const chain = [first.id, ...others.filter((row) => row.entityId === entityId).map(({ id }) => id)];
      const successor = { ...saleBy(liar, draw), entityId, supersedes: chain };
      return said(await liar.push([first, successor]));
    },
  },
  {
    /** What others have made, and the server has not: it has not arrived yet, or went with a restore. */
    kind: "void_of_unseen",
    weight: 4,
    async tell(liar, draw) {
      const unseen = liar.unseen();
      if (unseen.length === 0) return undefined;
      const { collection, entityId } = draw.pick(unseen);
      const ids = unseen.filter((one) => one.collection === collection && one.entityId === entityId);
      const supersedes = ids.map(({ id }) => id).slice(0, MOST_IDS);
      const flaw = draw.chance(0.3) && { action: "update", baseVersion: 0, patch: { name: REFUSED_NAME } };
      return said(await liar.push([liar.operation({ collection, entityId, action: "void", supersedes, ...flaw })]));
    },
  },
  {
    /** Ids that nobody has made: each becomes a row. */
    kind: "void_of_nothing",
    weight: 1,
    async tell(liar, draw) {
      const supersedes = Array.from({ length: draw.pick([1, 20, MOST_IDS]) }, () => liar.uuid());
      const target = draw.pick([
        { collection: "customers", entityId: draw.pick(CUSTOMERS) },
        { collection: "sales", entityId: liar.uuid() },
        { collection: "products", entityId: draw.pick(PRODUCTS) },
      ]);
      return said(await liar.push([liar.operation({ ...target, action: "void", supersedes })]));
    },
  },
  {
    /** What it has sent itself, once more in the place of the first: also after it was found out. */
    kind: "supersedes_own",
    weight: 3,
    async tell(liar, draw) {
      const own = [...liar.kept.values()].filter(({ result }) => result.status !== "applied");
      if (own.length === 0) return undefined;
      const { id, sequence: _, ...content } = draw.pick(own).told;
      return said(await liar.push([liar.operation({ ...content, supersedes: [id] })]));
    },
  },
  {
    /** What it has sent itself. */
    kind: "void_of_own",
    weight: 1,
    async tell(liar, draw) {
      const own = [...liar.kept.values()].filter(({ result }) => result.status !== "applied");
      if (own.length === 0) return undefined;
      const { id, collection, entityId } = draw.pick(own).told;
      return said(await liar.push([liar.operation({ collection, entityId, action: "void", supersedes: [id] })]));
    },
  },
];
