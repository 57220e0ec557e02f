/** What must hold in a till's own store at any moment: what it has promised is there, whole, with its place in the queue. Pure. */
import { groupBy, type ServerBooks, type TillBooks } from "./books.ts";
import { checkTransactions } from "./check-transactions.ts";
import type { Findings } from "./findings.ts";
import type { Ledger } from "./ledger.ts";

/** @param saved from before `till` was read */
export function checkTill(
  till: TillBooks,
  ledger: Ledger,
  saved: ReturnType<Ledger["saved"]>,
  findings: Findings,
): void {
  const { name, operations, claims } = till;
  checkTransactions(name, operations, ledger, findings);
  for (const { what, counted, found } of claims) {
    if (counted !== found) findings.tell("half", `${name}: ${what}: counted ${counted}, found ${found}`);
  }
  const rows = {
    sale: idsOf(till, "sales"),
    refund: idsOf(till, "refunds"),
    paid: new Set((till.rows.payments ?? []).map(({ value }) => String(value.saleId))),
  };
  const creates = groupBy(
    operations.filter(({ collection }) => collection === "sales" || collection === "refunds"),
    ({ entityId }) => entityId,
  );
  for (const receipt of ledger.receipts.values()) {
    if (receipt.till !== name) continue;
    const { id, kind } = receipt;
    const own = creates.get(id) ?? [];
    if (own.length === 0 && saved.has(receipt))
      findings.tell("lost", `${name}: ${kind} ${id} was saved, and is in no queue`);
    if (own.length > 1) findings.tell("doubled", `${name}: ${kind} ${id} is in the queue ${own.length} times`);
    if (own.length > 0 !== rows[kind].has(id)) {
      findings.tell(
        "half",
        `${name}: ${kind} ${id} ${own.length > 0 ? "is in the queue, and has no row" : "has a row, and is in no queue"}`,
      );
    }
    if (own.length === 0) continue;
    if (kind === "sale" && !rows.paid.has(id)) findings.tell("half", `${name}: sale ${id} has no payment`);
  }
}

/** What a till has been told is safe is on the server. `till` was read first. */
export function checkAnswered(till: TillBooks, server: ServerBooks, findings: Findings): void {
  const stored = new Set(server.operations.map(({ id }) => id));
  for (const { id, state, collection, entityId } of till.operations) {
    if (state === "applied" && !stored.has(id)) {
      findings.tell(
        "lost",
        `${till.name}: operation ${id} (${collection} ${entityId}) was answered, and is not on the server`,
      );
    }
  }
}

function idsOf(till: TillBooks, collection: string): ReadonlySet<string> {
  return new Set((till.rows[collection] ?? []).map(({ id }) => id));
}
