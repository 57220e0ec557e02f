/** As much as it can make of as little as it sends. */
import { LIMITS } from "../../../src/protocol/constants.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

/** So many that their rows are more than what may be kept of one push. */
const MANY = 150;
const NOTE = 4_000;

export const sizes: readonly Lie[] = [
  {
    /** Just under the limit, and over it: neither is shown to anybody but the desk. */
    kind: "size_limit",
    weight: 0.5,
    async tell(liar, draw) {
      const signature = "s".repeat(LIMITS.operationBytes - draw.pick([600, -600]));
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
