/** What it writes: where it may, with whatever base; and where it may not. */
import { CONTESTED } from "../commands/editing.ts";
import type { Draw } from "../engine/draw.ts";
import type { Liar, Told } from "../machines/liar.ts";
import { BRANCHES, CUSTOMERS, LIAR, PRODUCTS, REFUSED_NAME } from "../sim-shop.ts";
import type { Lie } from "./lie.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;

/** A sale that a cashier may book. */
export const saleBy = (liar: Liar, draw: Draw, more: object = {}): Told => {
  const quantity = draw.int(1, 4);
  return liar.operation({
    collection: "sales",
    entityId: liar.uuid(),
    action: "create",
    data: {
      productId: draw.pick(PRODUCTS),
      quantity,
      totalCents: quantity * 100,
      till: LIAR,
      doubtful: false,
      ...(draw.chance(0.3) && { customerId: draw.pick([...CUSTOMERS, ...CONTESTED]) }),
      ...more,
    },
  });
};

const versionOf = (liar: Liar, collection: string, id: string) =>
  liar.rows().records?.find((row) => row.collection === collection && row.id === id)?.version ?? 0;

/** Of nothing, of what is there, and of what no till has seen. */
export function baseFor(liar: Liar, draw: Draw, collection: string, id: string): number {
  const version = versionOf(liar, collection, id);
  return draw.pick([0, 1, version, version, version + draw.int(1, 1_000), LARGEST]);
}

const edit = (liar: Liar, draw: Draw, collection: string, id: string, more: object): Told =>
  liar.operation({
    collection,
    entityId: id,
    action: "update",
    baseVersion: baseFor(liar, draw, collection, id),
    patch: {},
    ...more,
  });

const said = (answered: { readonly status: number; readonly body: object }) => {
  const { results = [] } = answered.body as { readonly results?: readonly { readonly status: string }[] };
  return `${answered.status} ${results.map(({ status }) => status).join(" ")}`;
};

export const writing: readonly Lie[] = [
  {
    /** As any cashier does: what others lie about must be there. */
    kind: "sale",
    weight: 4,
    async tell(liar, draw) {
      const sale = saleBy(liar, draw);
      const payment = liar.operation({
        collection: "payments",
        entityId: liar.uuid(),
        action: "create",
        data: { saleId: sale.entityId, amountCents: draw.int(1, 9), doubtful: false },
      });
      const transaction = liar.uuid();
      return said(await liar.push([sale, payment].map((one) => ({ ...one, transaction }))));
    },
  },
  {
    kind: "doubtful_sale",
    weight: 1,
    tell: async (liar, draw) => said(await liar.push([saleBy(liar, draw, { doubtful: true })])),
  },
  {
    /** A cashier may edit customers: of any base. */
    kind: "base_version",
    weight: 5,
    async tell(liar, draw) {
      const id = draw.pick([...CUSTOMERS, ...CONTESTED]);
      const patch = draw.pick([
        { phone: `9${draw.int(100, 999)}` },
        { note: `Lie ${draw.int(0, 9)}` },
        { note: null },
        { name: REFUSED_NAME },
      ]);
      return said(await liar.push([edit(liar, draw, "customers", id, { patch })]));
    },
  },
  {
    /** Records and fields that are others' to edit. */
    kind: "edit_without_right",
    weight: 4,
    async tell(liar, draw) {
      const id = draw.pick([...PRODUCTS, ...CONTESTED]);
      const force = draw.chance(0.3) && { force: true };
      const edits = [
        edit(liar, draw, "products", id, { patch: { priceCents: draw.int(1, 9_999) }, ...force }),
        edit(liar, draw, "products", id, { patch: { label: "Lie" }, unset: ["shelf"] }),
        edit(liar, draw, "customers", draw.pick(CUSTOMERS), { patch: { phone: "666" }, force: true }),
        liar.operation({ collection: "products", entityId: id, action: "delete", baseVersion: LARGEST, ...force }),
        liar.operation({
          collection: "customers",
          entityId: draw.pick([...CUSTOMERS, ...CONTESTED]),
          action: "delete",
          baseVersion: LARGEST,
        }),
        liar.operation({
          collection: "products",
          entityId: draw.chance(0.5) ? id : liar.uuid(),
          action: "create",
          data: { name: "Lie", priceCents: 1 },
        }),
        liar.operation({
          collection: "notes",
          entityId: draw.pick(["n-1", "n-9"]),
          action: "create",
          data: { text: "Lie" },
        }),
      ];
      return said(await liar.push(edits.filter(() => draw.chance(0.5))));
    },
  },
  {
    /** What only the server writes: an effect's field, an assigned one, a counter, an id. */
    kind: "field_without_right",
    weight: 2,
    async tell(liar, draw) {
      const id = draw.pick(CUSTOMERS);
      const stray = draw.pick([{ points: 999 }, { visits: 0 }, { id: "x" }, { unheard: true }]);
      return said(
        await liar.push([
          edit(liar, draw, "customers", id, { patch: stray }),
          saleBy(liar, draw, { orderNumber: "N-FORGED" }),
        ]),
      );
    },
  },
  {
    kind: "increment_without_right",
    weight: 3,
    async tell(liar, draw) {
      const step = draw.pick([1, -1, 1_000_000, LARGEST, -LARGEST]);
      const by = draw.pick([{ stock: step }, { returned: step }, { stock: step, returned: -step }]);
      const step1 = { collection: "products", entityId: draw.pick([...PRODUCTS, "p-none"]), action: "increment", by };
      return said(await liar.push([liar.operation(step1)]));
    },
  },
  {
    /**
     * Points that nobody has sold. Small ones: what a counter may hold at most is not bounded here, so that one enormous step would leave no
     * room for those of the sales (docs/security.md).
     */
    kind: "increment",
    weight: 2,
    async tell(liar, draw) {
      const by = draw.pick([{ points: draw.int(-50, 50) || 1 }, { visits: 3 }, { nothing: 1 }, { points: "0.5" }]);
      const id = draw.pick([...CUSTOMERS, ...CONTESTED, "c-none"]);
      const step = liar.operation({ collection: "customers", entityId: id, action: "increment", by });
      return said(await liar.push([step]));
    },
  },
  {
    /** The ids of rows and facts that are there. */
    kind: "existing_id",
    weight: 3,
    async tell(liar, draw) {
      // Those that a pull shows: nobody else is told the id of a fact that waits for people.
      const facts = liar.others(
        (row) => row.status === "applied" && (row.collection === "sales" || row.collection === "payments"),
      );
      const seats = (liar.rows().records ?? []).filter(({ collection }) => collection === "seats");
      const customer = draw.pick([...CUSTOMERS, ...CONTESTED]);
      const made: Told[] = [
        liar.operation({
          collection: "customers",
          entityId: customer,
          action: "create",
          data: { name: "Lie", phone: null },
        }),
      ];
      if (facts.length > 0) {
        const fact = draw.pick(facts);
        const own = fact.operation as { readonly data?: object } | undefined;
        const entityId = fact.entityId;
        // The same fact once more, or another one under its name.
        if (own?.data && draw.chance(0.5))
          made.push(liar.operation({ collection: fact.collection, entityId, action: "create", data: own.data }));
        made.push({ ...saleBy(liar, draw), entityId });
      }
      if (seats.length > 0)
        made.push(
          edit(liar, draw, "seats", draw.pick(seats).id, { patch: { name: "Lie", branch: draw.pick(BRANCHES) } }),
        );
      return said(await liar.push(made));
    },
  },
  {
    kind: "fact_without_right",
    weight: 2,
    async tell(liar, draw) {
      const saleId = draw.pick([...liar.others(({ collection }) => collection === "sales"), undefined])?.entityId;
      const data = { saleId: saleId ?? "none", productId: draw.pick(PRODUCTS), quantity: 3, doubtful: false };
      return said(
        await liar.push([
          liar.operation({ collection: "refunds", entityId: liar.uuid(), action: "create", data }),
          // A fact can't be edited, deleted or counted.
          liar.operation({
            collection: "sales",
            entityId: saleId ?? "none",
            action: draw.pick(["update", "delete"]),
            baseVersion: LARGEST,
            ...(draw.chance(0.5) && { patch: { totalCents: 0 } }),
          }),
        ]),
      );
    },
  },
];

export { said };
