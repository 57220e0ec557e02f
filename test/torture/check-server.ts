/** What must hold on the server at any moment, also the one after a kill: each transaction whole, with all that it brings about. Pure. */
import type { JsonObject } from "../../src/shared/json.ts";
import { groupBy, recordsOf, type ServerBooks } from "./books.ts";
import { checkOrderNumbers } from "./check-order-numbers.ts";
import { checkTransactions } from "./check-transactions.ts";
import type { Findings } from "./findings.ts";
import type { Ledger } from "./ledger.ts";
import { STOCK } from "./torture-shop.ts";

export function checkServer(server: ServerBooks, ledger: Ledger, findings: Findings): void {
  if (server.epochs > 1) {
    findings.tell("lost", "The server has begun a new epoch: it had forgotten what it had answered");
  }
  checkTransactions("server", server.operations, ledger, findings);
  checkFacts(server, findings);
  checkSales(server, ledger, findings);
  checkStock(server, findings);
}

/** A fact and its operation are there together, and once. */
function checkFacts(server: ServerBooks, findings: Findings): void {
  for (const collection of ["sales", "payments", "refunds"]) {
    const rows = new Set(recordsOf(server, collection).map(({ id }) => id));
    const creates = groupBy(
      server.operations.filter((operation) => operation.collection === collection),
      ({ entityId }) => entityId,
    );
    for (const [id, operations] of creates) {
      if (operations.length > 1)
        findings.tell("doubled", `server: ${collection} ${id} has ${operations.length} operations`);
      if (!rows.has(id)) findings.tell("half", `server: ${collection} ${id} has an operation and no row`);
    }
    for (const id of rows) {
      if (!creates.has(id)) findings.tell("half", `server: ${collection} ${id} has a row and no operation`);
    }
  }
}

/** A sale ⇔ its payment ⇔ what the policies wrote with it: the balance, and an order number that nobody else has. */
function checkSales(server: ServerBooks, ledger: Ledger, findings: Findings): void {
  const payments = groupBy(recordsOf(server, "payments"), ({ value }) => String(value.saleId));
  const balances = new Map(recordsOf(server, "saleBalances").map(({ id, value }) => [id, value]));
  const sales = recordsOf(server, "sales");
  for (const { id, value } of sales) {
    const own = payments.get(id) ?? [];
    if (own.length === 0) findings.tell("half", `server: sale ${id} has no payment`);
    if (own.length > 1) findings.tell("doubled", `server: sale ${id} has ${own.length} payments`);
    if (value.orderNumber === undefined) findings.tell("half", `server: sale ${id} has no order number`);
    const total = ledger.receipts.get(id)?.totalCents;
    if (value.totalCents !== total)
      findings.tell("diverged", `server: sale ${id} is ${value.totalCents}, not ${total}`);
    checkBalance(id, own, balances.get(id), findings);
  }
  const ids = new Set(sales.map(({ id }) => id));
  for (const id of payments.keys())
    if (!ids.has(id)) findings.tell("half", `server: a payment for ${id}, which is not there`);
  const [{ value: { last = 0 } = {} } = {}] = recordsOf(server, "sequences");
  const numbers = sales.flatMap(({ value }) => (value.orderNumber === undefined ? [] : [String(value.orderNumber)]));
  checkOrderNumbers({ numbers, last: Number(last), epochs: server.epochs }, findings);
}

function checkBalance(
  sale: string,
  payments: readonly { readonly value: JsonObject }[],
  balance: JsonObject | undefined,
  findings: Findings,
): void {
  const paid = payments.reduce((sum, { value }) => sum + Number(value.amountCents), 0);
  const counted = Number(balance?.paidCents ?? 0);
  if (counted < paid) findings.tell("half", `server: sale ${sale} has ${counted} counted of ${paid} paid`);
  if (counted > paid) findings.tell("doubled", `server: sale ${sale} has ${counted} counted, and ${paid} paid`);
}

/** An increment leaves no row: that it took effect, and once, shows in the sum. */
function checkStock(server: ServerBooks, findings: Findings): void {
  const steps = new Map<string, number>();
  for (const { action, entityId, by, status } of server.operations) {
    if (action === "increment" && status === "applied") {
      steps.set(entityId, (steps.get(entityId) ?? 0) + (by.stock ?? 0));
    }
  }
  for (const { id, value } of recordsOf(server, "products")) {
    const expected = STOCK + (steps.get(id) ?? 0);
    if (value.stock !== expected) {
      findings.tell("half", `server: stock of ${id} is ${value.stock}, its operations make ${expected}`);
    }
  }
}
