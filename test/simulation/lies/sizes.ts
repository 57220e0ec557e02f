/** As much as it can make of as little as it sends. */
import { LIMITS } from "../../../src/protocol/constants.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

/** So many that their rows are more than what may be kept of one push. */
const MANY = 150;
const NOTE = 4_000;
/** What a sale has beside its signature, at most. */
const SALE_BYTES = 600;
/** Together they are more than 4 MiB, and each is less than a body may have. */
const FLOOD_PUSHES = 6;
const SALES_PER_PUSH = 3;

export const sizes: readonly Lie[] = [
  {
    /** Just under the limit, and over it: neither is shown to anybody but the desk. */
    kind: "size_limit",
    weight: 0.5,
    async tell(liar, draw) {
      const signature = "s".repeat(LIMITS.operationBytes - draw.pick([SALE_BYTES, -SALE_BYTES]));
      const sale = saleBy(liar, draw, { doubtful: true, signature });
      return said(await liar.push(draw.chance(0.3) ? [{ ...sale, supersedes: "all" }] : [sale]));
    },
  },
  {
    /** Each refusal brings the row, which is much larger than what was asked for. */
    kind: "copies",
    weight: 1,
    async tell(liar) {
      const id = `c-${liar.uuid()}`;
      const data = { name: "Large", phone: null, note: "n".repeat(NOTE) };
      await liar.push([liar.operation({ collection: "customers", entityId: id, action: "create", data })]);
      const asked = Array.from({ length: MANY }, () =>
        liar.operation({ collection: "customers", entityId: id, action: "delete", baseVersion: 0 }),
      );
      const { status, body } = await liar.push(asked);
      const { results = [] } = body as { readonly results?: readonly object[] };
      return `${status} ${results.length}`;
    },
  },
  {
    /** More than people would look through, of one whom they trust no more: planned behind that (plan.ts), and not drawn. */
    kind: "flood",
    weight: 0,
    async tell(liar, draw) {
      if (!liar.isRevoked) return undefined;
      const signature = "s".repeat(LIMITS.operationBytes - SALE_BYTES);
      const answers: string[] = [];
      for (let left = FLOOD_PUSHES; left > 0; left--) {
        const sales = Array.from({ length: SALES_PER_PUSH }, () => saleBy(liar, draw, { signature }));
        answers.push(said(await liar.push(sales)).slice(0, 80));
      }
      return answers.join("; ");
    },
  },
  {
    /** More ids than a push may name. */
    kind: "named_ids",
    weight: 0.5,
    async tell(liar, draw) {
      const ids = () => Array.from({ length: LIMITS.transactionOperations }, () => liar.uuid());
      const asked = Array.from({ length: 6 }, () => ({ ...saleBy(liar, draw), after: ids() }));
      return said(await liar.push(asked));
    },
  },
];
