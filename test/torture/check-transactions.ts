/** All members of a transaction, or none: on the server, and in the queue of the till that made it. Pure. */
import { groupBy, type Said } from "./books.ts";
import type { Findings } from "./findings.ts";
import { type Ledger, membersOf } from "./ledger.ts";

export function checkTransactions(
  where: string,
  operations: readonly Said[],
  ledger: Ledger,
  findings: Findings,
): void {
  const together = groupBy(operations.filter(isCommercial), ({ transaction }) => transaction ?? "none");
  for (const [transaction, members] of together) {
    const receipts = members.flatMap(({ collection, entityId }) => {
      const receipt = collection === "sales" || collection === "refunds" ? ledger.receipts.get(entityId) : undefined;
      return receipt === undefined ? [] : [receipt];
    });
    const expected = receipts.reduce((sum, receipt) => sum + membersOf(receipt), 0);
    const what = receipts[0]?.id ?? members.map(({ collection, entityId }) => `${collection} ${entityId}`).join(", ");
    if (members.length !== expected) {
      findings.tell(
        "half",
        `${where}: transaction ${transaction} (${what}) has ${members.length} of ${expected} operations`,
      );
    }
  }
}

function isCommercial({ action, collection }: Said): boolean {
  return action === "increment" || collection === "sales" || collection === "payments" || collection === "refunds";
}
