/** The sums that a till keeps beside its queue, so that nothing has to be counted twice: each belongs to the transaction of what it counts. Pure. */
import { QUEUE, type QueueState } from "../../src/client/state/meta.ts";
import { isOpen, isWaiting, type StoredOperation, subjectOf } from "../../src/client/state/operation.ts";
import type { StoredRow } from "../../src/client/state/rows.ts";
import { META, OPERATIONS, tableOf } from "../../src/client/state/tables.ts";
import { type Claim, groupBy } from "./books.ts";
import type { Tables } from "./till-books.ts";

export function claimsOf(tables: Tables): readonly Claim[] {
  const operations = (tables[OPERATIONS] ?? []).map(([, value]) => value as StoredOperation);
  const subjects = groupBy(operations, ({ collection, entityId }) => subjectOf(collection, entityId));
  const queue = (tables[META] ?? []).find(([key]) => key === QUEUE)?.[1] as QueueState | undefined;
  const waiting = groupBy(operations.filter(isWaiting), ({ collection }) => collection);
  const collections = Object.keys(tables).flatMap((table) =>
    table.startsWith(tableOf("")) ? [table.slice(tableOf("").length)] : [],
  );
  return collections.flatMap((collection) => [
    {
      what: `operations that wait in ${collection}`,
      counted: queue?.waiting[collection] ?? 0,
      found: waiting.get(collection)?.length ?? 0,
    },
    ...(tables[tableOf(collection)] ?? []).flatMap(([id, value]) => {
      const subject = subjectOf(collection, id);
      return claimsOfRow(subject, value as StoredRow, subjects.get(subject) ?? []);
    }),
  ]);
}

function claimsOfRow(subject: string, row: StoredRow, operations: readonly StoredOperation[]): readonly Claim[] {
  const { pending = 0, blocked = 0 } = row.states ?? {};
  const steps = operations.filter((operation) => isOpen(operation) && operation.action === "increment");
  return [
    {
      what: `operations that wait on ${subject}`,
      counted: pending + blocked,
      found: operations.filter(isWaiting).length,
    },
    {
      what: `stock that ${subject} moves by`,
      counted: Number(row.delta?.stock ?? 0),
      found: steps.reduce((sum, { by }) => sum + Number(by?.stock ?? 0), 0),
    },
  ];
}
