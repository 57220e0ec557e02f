/** What it says that a lost history had answered. */
import type { Draw } from "../engine/draw.ts";
import type { Liar } from "../machines/liar.ts";
import type { HeardResult } from "../machines/overheard.ts";
import { CUSTOMERS, PRODUCTS, REFUSED_NAME } from "../sim-shop.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

/** The most that a receipt may be. */
const GARBAGE = ["0".repeat(32), "x", "forged.receipt", "a".repeat(128)];

function acknowledgement(liar: Liar, draw: Draw, more: object = {}): object {
  const epochs = [...liar.heard.epochs].filter((epoch) => epoch !== liar.epoch);
  const epoch = draw.pick(epochs.length > 0 && draw.chance(0.9) ? epochs : [liar.epoch ?? "none", "9.0.garbage"]);
  const of = (results: ReadonlyMap<string, HeardResult>) => [...results.values()].map(({ receipt }) => receipt);
  const receipts = [...of(liar.own.results), ...of(liar.heard.results)].filter((one) => one !== undefined);
  return {
    epoch,
    version: draw.pick([1, liar.rows().clock?.position ?? 1, Number.MAX_SAFE_INTEGER]),
    receipt: draw.pick(receipts.length > 0 && draw.chance(0.6) ? receipts : GARBAGE),
    ...more,
  };
}

export const returning: readonly Lie[] = [
  {
    /** A sale that people should look at, let in by nobody, with a number of its choice. */
    kind: "acknowledged_sale",
    weight: 4,
    async tell(liar, draw) {
      const acknowledged = acknowledgement(liar, draw, { assigned: { orderNumber: "N-FORGED" } });
      return said(await liar.push([{ ...saleBy(liar, draw, { doubtful: true }), acknowledged }]));
    },
  },
  {
    kind: "acknowledged_edit",
    weight: 4,
    async tell(liar, draw) {
      const acknowledged = acknowledgement(liar, draw);
      const update = { action: "update", baseVersion: 0, acknowledged };
      return said(
        await liar.push([
          liar.operation({
            ...update,
            collection: "customers",
            entityId: draw.pick(CUSTOMERS),
            patch: draw.pick([{ phone: "9" }, { name: REFUSED_NAME }]),
          }),
          liar.operation({
            ...update,
            collection: "products",
            entityId: draw.pick(PRODUCTS),
            patch: { priceCents: 1 },
          }),
          liar.operation({
            collection: "products",
            entityId: draw.pick(PRODUCTS),
            action: "increment",
            by: { stock: 3 },
            acknowledged,
          }),
        ]),
      );
    },
  },
  {
    /** What was true once, and what is nearly true: its own result with another version, number or receipt. */
    kind: "acknowledged_again",
    weight: 4,
    async tell(liar, draw) {
      const known = [...liar.own.results.values()].filter(
        ({ id, epoch }) => epoch !== liar.epoch && liar.kept.has(id) && !liar.heard.operations.has(id),
      );
      if (known.length === 0) return undefined;
      const { id, ...result } = draw.pick(known);
      const other = draw.pick(known);
      const forged = draw.pick([
        {},
        { version: Number.MAX_SAFE_INTEGER },
        { assigned: { orderNumber: "N-FORGED" } },
        { receipt: other.receipt },
        { epoch: other.epoch },
      ]);
      const told = liar.kept.get(id)?.told;
      return told && said(await liar.push([{ ...told, acknowledged: { ...result, ...forged } }]));
    },
  },
];
