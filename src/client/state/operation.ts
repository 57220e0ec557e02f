/** One entry of the outbox, or of the journal once its result is final: what was minted, and what has become of it. */

import type { Flag, Verdict } from "../../protocol/types.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import type { JsonObject } from "../../shared/json.ts";

/** The record or fact that an operation is about, as one string: ids and collection names contain no `/`. */
export const subjectOf = (collection: string, id: string) => `${collection}/${id}`;

/** 0 high, 1 normal, 2 low. */
export type Lane = 0 | 1 | 2;

/** What an operation does and who made it when. Never changes after it was minted. */
export interface MintedOperation {
  readonly id: string;
  readonly sequence: number;
  /** Its place in the replay: its own sequence number, or that of the operation it supersedes [C3]. */
  readonly rank: number;
  readonly lane: Lane;
  readonly collection: string;
  readonly entityId: string;
  readonly kind: "record" | "fact";
  readonly action: "create" | "update" | "increment" | "delete" | "void";
  readonly data?: JsonObject | undefined;
  readonly patch?: JsonObject | undefined;
  readonly unset?: readonly string[] | undefined;
  readonly by?: Readonly<Record<string, CounterValue>> | undefined;
  readonly baseVersion?: number | undefined;
  readonly force?: boolean | undefined;
  /** The patched fields before the patch, for people and resolvers. Never sent. */
  readonly before?: JsonObject | undefined;
  /** A create's counters at zero, in the schema's own form (0 or "0"). Never sent. */
  readonly zeros?: Readonly<Record<string, CounterValue>> | undefined;
  /** The local transaction. */
  readonly transaction?: string | undefined;
  /** The wire transaction: commercial or editorial, never both [C1]. */
  readonly group?: string | undefined;
  readonly supersedes?: readonly string[] | undefined;
  readonly schemaVersion: number;
  readonly branch?: string | undefined;
  readonly actor?: string | undefined;
  /** Epoch ms, corrected by the server's clock. */
  readonly occurredAt: number;
  /** The subjects that it references: their pending creates are sent first. */
  readonly references?: readonly string[] | undefined;
  /** Approximate size of the JSON that is sent. */
  readonly bytes: number;
}

/** When the server's final result came. `at`: server time, epoch ms; the journal is pruned by it. */
export interface ResultStamp {
  readonly at: number;
  /** The epoch whose result it is; absent if this device closed the operation itself. */
  readonly epoch?: string | undefined;
  readonly revision?: number | undefined;
}

interface Refusal {
  readonly error: Verdict;
  /** Absent: parked on this device, because the server refuses every push that contains it [C9]. */
  readonly result?: ResultStamp | undefined;
}

/** What has become of an operation. Each state carries what it needs and nothing else. */
export type StoredStatus =
  | {
      readonly state: "pending";
      /** To be sent again in a new epoch, before anything new [C8.6]. */
      readonly resend?: true | undefined;
    }
  | {
      readonly state: "blocked";
      readonly resend?: true | undefined;
      /** The operations that it waits for; none if the server only asked to try later. */
      readonly blockedBy: readonly string[];
      /** The record that it edits is not on the server. */
      readonly missing?: true | undefined;
      /** Why the server asked to try later. */
      readonly error?: Verdict | undefined;
      /** The queue's unblock round in which it was blocked: any later one sends it again [H2]. */
      readonly blockedInRound: number;
    }
  | { readonly state: "conflict"; readonly conflictId: string; readonly result: ResultStamp }
  | ({ readonly state: "rejected" } & Refusal)
  | ({ readonly state: "quarantined" } & Refusal)
  | {
      readonly state: "applied";
      /** The record's version after it; absent if another operation's answer told that it was applied. */
      readonly version?: number | undefined;
      readonly assigned?: JsonObject | undefined;
      readonly flags?: readonly Flag[] | undefined;
      readonly result: ResultStamp;
    }
  | {
      /** Replaced by an operation of this device. */
      readonly state: "superseded";
      readonly supersededBy?: string | undefined;
      /** The verdict that it had before, or with which it came too late. */
      readonly error?: Verdict | undefined;
      /** Why a person gave it up. Never sent. */
      readonly note?: string | undefined;
      readonly result: ResultStamp;
    }
  | {
      /** Replaced or given up elsewhere: by the back office, or by a clone of this store. */
      readonly state: "closed_elsewhere";
      readonly error: Verdict;
      readonly result: ResultStamp;
    };

export interface StoredOperation extends MintedOperation {
  readonly status: StoredStatus;
  /** How often the server has answered it; a transport failure is no answer. */
  readonly attempts: number;
  /** The result that a lost epoch had given it, until it is applied in this one [C8.5]. */
  readonly acknowledged?:
    | { readonly epoch: string; readonly version: number; readonly assigned?: JsonObject | undefined }
    | undefined;
  /**
   * The generation of bases that lack what the lost epoch had acknowledged; bases of earlier generations include it [C8.6]. Never sent.
   */
  readonly missingSince?: number | undefined;
}

/**
 * The states of an operation, and what each means.
 *
 * - open: its effect is in the view, and not yet in any base
 * - waiting: the server may still say something new about it in this epoch
 * - unfinished: a person or the server still has to do something about it; counted on its row
 * - desk: whose desk it is on, if it needs a person
 *
 * The wire calls an operation by its result (`applied`, `conflict`, `rejected`, `quarantined`; `blocked` and `retry`, both stored as
 * `blocked`). An app sees `in_flight` for a pending operation that is in a push right now, which no store can know, and `superseded`
 * for `closed_elsewhere` too.
 */
const STATES = {
  pending: { open: true, waiting: true, unfinished: true, desk: undefined },
  blocked: { open: true, waiting: true, unfinished: true, desk: undefined },
  conflict: { open: true, waiting: false, unfinished: true, desk: "till" },
  rejected: { open: false, waiting: false, unfinished: true, desk: "till" },
  quarantined: { open: false, waiting: false, unfinished: true, desk: "office" },
  applied: { open: false, waiting: false, unfinished: false, desk: undefined },
  superseded: { open: false, waiting: false, unfinished: false, desk: undefined },
  closed_elsewhere: { open: false, waiting: false, unfinished: false, desk: undefined },
} as const satisfies Readonly<
  Record<
    StoredStatus["state"],
    {
      readonly open: boolean;
      readonly waiting: boolean;
      readonly unfinished: boolean;
      readonly desk: "till" | "office" | undefined;
    }
  >
>;

export type OperationState = keyof typeof STATES;
export type UnfinishedState = {
  [S in OperationState]: (typeof STATES)[S]["unfinished"] extends true ? S : never;
}[OperationState];

/** An operation in one of these states, with what that state carries. */
export type OperationIn<S extends OperationState> = StoredOperation & {
  readonly status: Extract<StoredStatus, { readonly state: S }>;
};

export function isIn<S extends OperationState>(
  operation: StoredOperation,
  ...states: readonly S[]
): operation is OperationIn<S> {
  return (states as readonly OperationState[]).includes(operation.status.state);
}

export function isOpen({ status }: Pick<StoredOperation, "status">): boolean {
  return STATES[status.state].open;
}

export function isWaiting({ status }: Pick<StoredOperation, "status">): boolean {
  return STATES[status.state].waiting;
}

export function isUnfinished(state: OperationState): state is UnfinishedState {
  return STATES[state].unfinished;
}

/** Whether only a person at this till can move it. What is quarantined is the office's matter. */
export function needsPerson({ status }: Pick<StoredOperation, "status">): boolean {
  return STATES[status.state].desk === "till";
}

/** Whether later edits of its row must wait for it. */
export function holdsRow(operation: Pick<StoredOperation, "status">): boolean {
  return isOpen(operation) || needsPerson(operation);
}

/**
 * Whether the operation is replayed into its row's view (increments are summed instead). A fact stays in the view also while it is
 * set aside: its receipt is printed, and a sale never vanishes from the till that made it (L11).
 */
export function isReplayed(operation: Pick<StoredOperation, "status" | "action" | "kind">): boolean {
  if (operation.action === "increment" || operation.action === "void") return false;
  if (isOpen(operation)) return true;
  const { state } = operation.status;
  return operation.kind === "fact" && (state === "quarantined" || state === "rejected");
}

/**
 * Whether it tells of something that happened in the shop, so that it must never be rejected (L11). The server has a decision of its
 * own, because it must also judge what it can't parse, and collections that it doesn't know.
 */
export function isCommercial(operation: Pick<StoredOperation, "kind" | "action">): boolean {
  return operation.kind === "fact" || operation.action === "increment";
}

/** Whether the office has discarded it: it stays quarantined, and nobody has to look at it any more. */
export function isDiscarded({ status }: Pick<StoredOperation, "status">): boolean {
  return status.state === "quarantined" && status.error.code === "discarded";
}

/** When its final result came; `undefined` while there is none. */
export function resultOf({ status }: Pick<StoredOperation, "status">): ResultStamp | undefined {
  return "result" in status ? status.result : undefined;
}
