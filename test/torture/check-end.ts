/** What must hold when everybody is quiet: all that was promised is on the server, once, and everybody sees the same. Pure. */
import { stable } from "../../examples/replay/compare.ts";
import { groupBy, recordsOf, type ServerBooks, type TillBooks } from "./books.ts";
import type { Findings } from "./findings.ts";
import type { Ledger } from "./ledger.ts";
import { STOCK } from "./torture-shop.ts";

export function checkEnd(server: ServerBooks, tills: readonly TillBooks[], ledger: Ledger, findings: Findings): void {
  checkQueues(server, tills, findings);
  checkReceipts(server, ledger, findings);
  checkEdits(server, ledger, findings);
  checkStock(server, ledger, findings);
  for (const till of tills) checkView(server, till, findings);
}

/** Nothing waits, nothing was set aside, and the server has no operation that no till has made. */
function checkQueues(server: ServerBooks, tills: readonly TillBooks[], findings: Findings): void {
  const stored = new Set(server.operations.map(({ id }) => id));
  const made = new Set<string>();
  for (const { name, operations } of tills) {
    for (const { id, state, kind, collection, entityId } of operations) {
      made.add(id);
      const what = `${name}: operation ${id} (${collection} ${entityId})`;
      if (state === "pending" || state === "blocked") findings.tell("lost", `${what} is still ${state}`);
      else if (!stored.has(id)) findings.tell("lost", `${what} is ${state}, and not on the server`);
      else if (kind === "fact" && state !== "applied") findings.tell("lost", `${what} is a fact, and ${state}`);
      else if (!FINAL.includes(state)) findings.tell("diverged", `${what} is ${state}`);
    }
  }
  for (const { id, device } of server.operations) {
    if (!made.has(id)) findings.tell("diverged", `${device}: operation ${id} is on the server, and no till has it`);
  }
}

/** Of the edits of one row some stand, and some have been settled by a person. */
const FINAL = ["applied", "superseded", "closed_elsewhere"];

function checkReceipts(server: ServerBooks, ledger: Ledger, findings: Findings): void {
  const saved = ledger.saved();
  const rows = {
    sale: new Set(recordsOf(server, "sales").map(({ id }) => id)),
    refund: new Set(recordsOf(server, "refunds").map(({ id }) => id)),
  };
  for (const receipt of ledger.receipts.values()) {
    const { id, kind, till } = receipt;
    if (saved.has(receipt) && !rows[kind].has(id))
      findings.tell("lost", `${till}: ${kind} ${id} was saved, and is not on the server`);
  }
  for (const [kind, ids] of Object.entries(rows)) {
    for (const id of ids)
      if (!ledger.receipts.has(id)) findings.tell("diverged", `server: ${kind} ${id}, which nobody made`);
  }
}

function checkEdits(server: ServerBooks, ledger: Ledger, findings: Findings): void {
  const arrived = groupBy(
    server.operations.flatMap(({ collection, entityId, patch }) =>
      Object.entries(patch).map(([field, value]) => `${collection} ${entityId} ${field} ${value}`),
    ),
    (text) => text,
  );
  const saved = ledger.saved();
  for (const edit of ledger.edits) {
    const { till, collection, id, field, value } = edit;
    const times = arrived.get(`${collection} ${id} ${field} ${value}`)?.length ?? 0;
    if (saved.has(edit) && times === 0)
      findings.tell("lost", `${till}: ${collection} ${id} ${field} ${value} is not on the server`);
  }
}

function checkStock(server: ServerBooks, ledger: Ledger, findings: Findings): void {
  const expected = new Map<string, number>();
  const saved = ledger.saved();
  const receipts = [...ledger.receipts.values()].filter((receipt) => saved.has(receipt));
  for (const [product, units] of receipts.flatMap(({ moved }) => [...moved])) {
    expected.set(product, (expected.get(product) ?? STOCK) + units);
  }
  const found = new Map(recordsOf(server, "products").map(({ id, value }) => [id, Number(value.stock)]));
  for (const [product, stock] of expected) {
    const counted = found.get(product);
    if (counted === undefined || counted > stock)
      findings.tell("lost", `server: stock of ${product} is ${counted}, not ${stock}`);
    else if (counted < stock) findings.tell("doubled", `server: stock of ${product} is ${counted}, not ${stock}`);
  }
}

function checkView(server: ServerBooks, till: TillBooks, findings: Findings): void {
  for (const [collection, rows] of Object.entries(till.rows)) {
    const shown = new Map(rows.map((row) => [row.id, row]));
    for (const { id, version, value } of recordsOf(server, collection)) {
      const row = shown.get(id);
      shown.delete(id);
      const there = stable({ version, value });
      const here = row === undefined ? "nothing" : stable({ version: row.version, value: row.value });
      if (here !== there)
        findings.tell("diverged", `${till.name}: ${collection} ${id} is ${here}, on the server ${there}`);
    }
    for (const id of shown.keys()) findings.tell("diverged", `${till.name}: ${collection} ${id} is not on the server`);
  }
}
