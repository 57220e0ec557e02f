/** The queue in plain words: what each operation does, and its state. */
import type { OperationStatus } from "tillsync";
import { formatMoney } from "./money.ts";
import type { Tone } from "./status-words.ts";
import { counted } from "./when.ts";

/** What the texts need to know about an operation. */
export interface QueuedOperation {
  readonly id: string;
  readonly sequence: number;
  readonly transaction: string | undefined;
  readonly collection: string;
  readonly entityId: string;
  readonly change: {
    readonly action: "create" | "update" | "increment" | "delete" | "void";
    readonly data?: object;
    readonly by?: Readonly<Record<string, number | string | undefined>>;
  };
  readonly status: OperationStatus;
  readonly occurredAt: number;
  readonly attempts: number;
}

export interface OperationState {
  readonly tone: Tone;
  readonly label: string;
  readonly detail: string | undefined;
}

export function operationState({ status, attempts }: Pick<QueuedOperation, "status" | "attempts">): OperationState {
  switch (status.state) {
    case "pending":
      return {
        tone: "waiting",
        label: "Waiting",
        detail: attempts > 0 ? `Tried ${counted(attempts, "time")} so far` : undefined,
      };
    case "in_flight":
      return { tone: "busy", label: "On its way", detail: undefined };
    case "applied":
      return { tone: "good", label: "On the server", detail: undefined };
    case "blocked":
      return { tone: "waiting", label: "Comes later", detail: blockedWords(status.by.length) };
    case "superseded":
      return { tone: "good", label: "Replaced", detail: "A later change has taken its place" };
    case "conflict":
      return { tone: "alert", label: "In conflict", detail: "Somebody has changed the same. A person decides" };
    case "rejected":
      return { tone: "alert", label: "Refused", detail: verdictWords(status.reason) };
    case "quarantined":
      return {
        tone: "alert",
        label: "Set aside",
        detail: `${verdictWords(status.reason)}. Safe on the server; the office decides`,
      };
  }
}

function blockedWords(count: number): string {
  return count === 0
    ? "The server has asked to send it later"
    : `Waits for ${counted(count, "earlier change")} to arrive`;
}

/** A map: a code may be any text, `constructor` too. */
const VERDICTS = new Map(
  Object.entries({
    not_permitted: "The person or the till had no right to it",
    device_revoked: "This till has been shut out by the office",
    branch_mismatch: "It belongs to another branch than this till's",
    transaction_quarantined: "Another part of the same sale was set aside",
    arithmetic: "The amounts do not add up",
    validation_failed: "The server does not accept its contents",
    malformed: "The server can't read it",
    too_large: "It is too large",
    unknown_collection: "The server does not know this kind of record",
    not_found: "The server does not have the record",
    counter_out_of_range: "The server's count has no room for it",
    policy_failed: "A rule of the shop failed on the server",
    schema_newer: "The server has to be updated first",
    discarded: "The office has put it away for good",
  }),
);

export function verdictWords({ code, message }: { readonly code: string; readonly message: string }): string {
  return VERDICTS.get(code) ?? (message || code);
}

/** What the operation does. `nameOf` knows the names of products. */
export function operationTitle(
  { collection, change, entityId }: QueuedOperation,
  nameOf: (productId: string) => string | undefined,
): string {
  switch (collection) {
    case "sales":
      return "Sale";
    case "payments": {
      const { method } = (change.data ?? {}) as { readonly method?: string };
      return method === undefined ? "Payment" : `Payment, ${method}`;
    }
    case "refunds":
      return "Refund";
    case "products": {
      const step = Number(change.by?.stock ?? 0);
      const name = nameOf(entityId) ?? entityId;
      if (change.action === "void") return `Given up: ${name}`;
      if (change.action !== "increment") return `Product ${name}`;
      return `Stock of ${name}: ${step > 0 ? "+" : "−"}${Math.abs(step)}`;
    }
    default:
      return change.action === "void" ? `Given up: ${collection}` : `${collection}: ${change.action}`;
  }
}

/** What was done in one go: a sale or a refund with its amount, otherwise the first of its operations. */
export function groupTitle(
  { operations }: OperationGroup,
  nameOf: (productId: string) => string | undefined,
  currency: string,
): string {
  const [first] = operations;
  const fact = operations.find(({ collection }) => collection === "sales" || collection === "refunds");
  const shown = fact ?? first;
  if (shown === undefined) return "";
  const { totalCents } = (shown.change.data ?? {}) as { readonly totalCents?: number };
  const title = operationTitle(shown, nameOf);
  return totalCents === undefined ? title : `${title} of ${formatMoney(totalCents, currency)}`;
}

export interface OperationGroup<O extends QueuedOperation = QueuedOperation> {
  readonly id: string;
  readonly operations: readonly O[];
}

/** Groups what was done in one go, in the order in which it was done. */
export function groupOperations<O extends QueuedOperation>(operations: readonly O[]): readonly OperationGroup<O>[] {
  const groups = new Map<string, O[]>();
  for (const operation of [...operations].sort((a, b) => a.sequence - b.sequence)) {
    const id = operation.transaction ?? operation.id;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [operation]);
    else group.push(operation);
  }
  return [...groups].map(([id, members]) => ({ id, operations: members }));
}
