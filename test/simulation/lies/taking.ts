/** It uses the ids of others first: those of facts that wait for people, and of what has not arrived yet or went with a restore. */
import type { Draw } from "../engine/draw.ts";
import type { Liar, Told } from "../machines/liar.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

/** Those that a cashier may book. */
const isBookable = ({ collection, action }: { readonly collection: string; readonly action?: string | undefined }) =>
  (collection === "sales" || collection === "payments") && action === "create";

/** Another fact under that id, or the same one: word for word. */
function factUnder(liar: Liar, draw: Draw, collection: string, entityId: string, data: object | undefined): Told {
  if (data !== undefined && draw.chance(0.3)) return liar.operation({ collection, entityId, action: "create", data });
  if (collection === "sales") return { ...saleBy(liar, draw), entityId };
  const payment = { saleId: liar.uuid(), amountCents: draw.int(1, 9), doubtful: false };
  return liar.operation({ collection, entityId, action: "create", data: payment });
}

export const taking: readonly Lie[] = [
  {
    kind: "fact_in_quarantine",
    weight: 3,
    async tell(liar, draw) {
      const aside = liar.others(
        (row) =>
          row.status === "quarantined" && isBookable({ collection: row.collection, action: row.operation?.action }),
      );
      if (aside.length === 0) return undefined;
      const { collection, entityId, operation } = draw.pick(aside);
      const { data } = (operation ?? {}) as { readonly data?: object };
      return said(await liar.push([factUnder(liar, draw, collection, entityId, data)]));
    },
  },
  {
    kind: "unseen_fact",
    weight: 3,
    async tell(liar, draw) {
      const unseen = liar.unseen().filter(isBookable);
      if (unseen.length === 0) return undefined;
      const { collection, entityId, data } = draw.pick(unseen);
      return said(await liar.push([factUnder(liar, draw, collection, entityId, data)]));
    },
  },
  {
    /** Only those of facts: whose edit or step it is can't take it back any more (docs/security.md). */
    kind: "unseen_operation",
    weight: 3,
    async tell(liar, draw) {
      const unseen = liar.unseen().filter(isBookable);
      if (unseen.length === 0) return undefined;
      const { id } = draw.pick(unseen);
      const own = draw.pick([
        saleBy(liar, draw),
        saleBy(liar, draw, { doubtful: true }),
        liar.operation({ collection: "customers", entityId: "c-1", action: "increment", by: { points: 1 } }),
        liar.operation({ collection: "nowhere", entityId: "x", action: "create", data: { text: "Lie" } }),
      ]);
      liar.took.add(id);
      return said(await liar.push([{ ...own, id }]));
    },
  },
];
