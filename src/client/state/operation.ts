/** One entry of the outbox, or of the journal once its result is final: the operation as it was made, and its state. */

import type { Flag, Verdict } from "../../protocol/types.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import type { JsonObject } from "../../shared/json.ts";

/**
 * The record or fact that an operation changes, as one string. It is unambiguous: ids and collection names contain no
 * `/`.
 */
export const subjectOf = (collection: string, id: string) => `${collection}/${id}`;

/** The collection's priority: 0 is high, 1 normal, 2 low. */
export type Lane = 0 | 1 | 2;

/** What an operation does, who made it, and when. It never changes after the operation was made. */
export interface MintedOperation {
  readonly id: string;
  /** Its number, which this store assigns from 1 without a gap. The server may see gaps [M6]. */
  readonly sequence: number;
  /** Its place in the replay: its own sequence number, or the rank of the operation that it supersedes [C3]. */
  readonly rank: number;
  readonly lane: Lane;
  readonly collection: string;
  readonly entityId: string;
  readonly kind: "record" | "fact";
  readonly action: "create" | "update" | "increment" | "delete" | "void";
  readonly data?: JsonObject | undefined;
  readonly patch?: JsonObject | undefined;
  /** The names of the members that an update removes. */
  readonly unset?: readonly string[] | undefined;
  /** An increment's steps. */
  readonly by?: Readonly<Record<string, CounterValue>> | undefined;
  /** The version of the row that the author of an update or a delete saw. */
  readonly baseVersion?: number | undefined;
  /** The edit overwrites newer writes, because its collection has the strategy "last write wins" [M4]. */
  readonly force?: boolean | undefined;
  /** The values of the patched fields before the patch, for people and resolvers. Never sent. */
  readonly before?: JsonObject | undefined;
  /** A create's counters at zero, each as the schema writes it (0 or "0"). Never sent. */
  readonly zeros?: Readonly<Record<string, CounterValue>> | undefined;
  /** The local transaction in which it was made. Not the wire's `transaction`: that is `group`. */
  readonly transaction?: string | undefined;
  /** The wire's `transaction`, in which it is sent: either commercial or editorial [C1]. Absent: it is sent on its own. */
  readonly group?: string | undefined;
  /** The whole chain of operations that it replaces, oldest first [C3]. */
  readonly supersedes?: readonly string[] | undefined;
  /** The schema version of its collection when it was made. */
  readonly schemaVersion: number;
  readonly branch?: string | undefined;
  readonly actor?: string | undefined;
  /** Epoch ms, by this device's clock as corrected by the server's. */
  readonly occurredAt: number;
  /** The subjects that it references: their open creates are sent first. */
  readonly references?: readonly string[] | undefined;
  /** An upper estimate of the size of its JSON on the wire. */
  readonly bytes: number;
}

/** The server's final result. `at` is its server time in epoch ms, by which the journal is pruned. */
export interface ResultStamp {
  readonly at: number;
  /** The epoch that gave the result; absent if this device closed the operation itself. */
  readonly epoch?: string | undefined;
  /** Counts the server's revisions of the result [H3]; absent for the first one. */
  readonly revision?: number | undefined;
}

interface Refusal {
  readonly error: Verdict;
  /** Absent: this device parked the operation, because the server refuses every push that contains it [C9]. */
  readonly result?: ResultStamp | undefined;
}

/** The state of an operation, with the members that only this state has. */
export type StoredStatus =
  | {
      readonly state: "pending";
      /** Set if it must be sent again in a new epoch, before anything new [C8.6]. */
      readonly resend?: true | undefined;
    }
  | {
      readonly state: "blocked";
      readonly resend?: true | undefined;
      /** The ids of the operations that it waits for; empty if the server only asked to try again later. */
      readonly blockedBy: readonly string[];
      /** Set if the server does not have the record that it edits. */
      readonly missing?: true | undefined;
      /** Why the server asked to try again later. */
      readonly error?: Verdict | undefined;
      /**
       * The unblock round that was current before the answer that blocked it. Any later round sends it again, even one that
       * the same answer starts [H2].
       */
      readonly blockedInRound: number;
    }
  | { readonly state: "conflict"; readonly conflictId: string; readonly result: ResultStamp }
  | ({ readonly state: "rejected" } & Refusal)
  | ({ readonly state: "quarantined" } & Refusal)
  | {
      readonly state: "applied";
      /**
       * The record's version after this operation; absent if only another operation's result revealed that this one was
       * applied.
       */
      readonly version?: number | undefined;
      readonly assigned?: JsonObject | undefined;
      /** The schema version of `assigned`, if it is not the operation's. */
      readonly assignedVersion?: number | undefined;
      /** By which the server, once it is restored, will believe this result: it belongs to `result.epoch` [C8.5]. */
      readonly receipt?: string | undefined;
      readonly flags?: readonly Flag[] | undefined;
      readonly result: ResultStamp;
    }
  | {
      /** An operation of this device replaced it. */
      readonly state: "superseded";
      readonly supersededBy?: string | undefined;
      /** The refusal that it had before, or with which its own result arrived too late. */
      readonly error?: Verdict | undefined;
      /** A person's reason for giving it up. Never sent. */
      readonly note?: string | undefined;
      readonly result: ResultStamp;
    }
  | {
      /** The back office or a copy of this store replaced it or gave it up. */
      readonly state: "closed_elsewhere";
      readonly error: Verdict;
      readonly result: ResultStamp;
    };

export interface StoredOperation extends MintedOperation {
  readonly status: StoredStatus;
  /**
   * How many results, `blocked` and `retry` included, the server has given it. Repeated deliveries and transport
   * failures don't count.
   */
  readonly attempts: number;
  /** The result that a lost epoch had given it, kept until it is applied in the current epoch [C8.5]. */
  readonly acknowledged?:
    | {
        readonly epoch: string;
        readonly version: number;
        readonly assigned?: JsonObject | undefined;
        readonly schemaVersion?: number | undefined;
        readonly receipt?: string | undefined;
      }
    | undefined;
  /**
   * The first generation of bases that lack its effect: bases of earlier generations come from the lost epoch, which
   * had acknowledged it, and include it [C8.6]. Never sent.
   */
  readonly missingSince?: number | undefined;
}

const ENDED = { open: false, waiting: false, unfinished: false, desk: undefined } as const;

/**
 * The states of an operation, and what each means.
 *
 * - open: its effect is in the view, and not yet in any base
 * - waiting: it has no final result yet, so the till sends it (again)
 * - unfinished: a person or the server still has to do something about it; it is counted on its row
 * - desk: the desk on which it lies, if it needs a person
 *
 * The wire names an operation by its result (`applied`, `conflict`, `rejected`, `quarantined`; `blocked` and `retry`,
 * which are both stored as `blocked`). An app sees `in_flight` for a pending operation that is in a push right now,
 * which no store can know, and `superseded` for `closed_elsewhere` too.
 */
const STATES = {
  pending: { open: true, waiting: true, unfinished: true, desk: undefined },
  blocked: { open: true, waiting: true, unfinished: true, desk: undefined },
  conflict: { open: true, waiting: false, unfinished: true, desk: "till" },
  rejected: { open: false, waiting: false, unfinished: true, desk: "till" },
  quarantined: { open: false, waiting: false, unfinished: true, desk: "office" },
  applied: ENDED,
  superseded: ENDED,
  closed_elsewhere: ENDED,
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

/** All states in which something is left to do. */
export const UNFINISHED = (Object.keys(STATES) as OperationState[]).filter(isUnfinished);

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

/** Whether only a person at this till can move it. A quarantined operation is the office's to decide. */
export function needsPerson({ status }: Pick<StoredOperation, "status">): boolean {
  return STATES[status.state].desk === "till";
}

/** Whether it can still take effect through this till, so what depends on it, or belongs with it, must wait. */
export function holdsBack(operation: Pick<StoredOperation, "status">): boolean {
  return isOpen(operation) || needsPerson(operation);
}

/**
 * Whether the operation is replayed into its row's view; increments are summed instead. A fact stays in the view even
 * while it is set aside: its receipt has been printed, and a sale never vanishes from the till that made it (L11).
 */
export function isReplayed(operation: Pick<StoredOperation, "status" | "action" | "kind">): boolean {
  if (operation.action === "increment" || operation.action === "void") return false;
  if (isOpen(operation)) return true;
  const { state } = operation.status;
  return operation.kind === "fact" && (state === "quarantined" || state === "rejected");
}

/**
 * Whether it is a fact or an increment: it tells of something that happened in the shop, so it must never be rejected
 * (L11). The server decides this on its own, because it must also judge what it can't parse, and collections that it
 * doesn't know.
 */
export function isCommercial(operation: Pick<StoredOperation, "kind" | "action">): boolean {
  return operation.kind === "fact" || operation.action === "increment";
}

/** Whether the office has discarded it: it stays quarantined, but no person has to look at it any more. */
export function isDiscarded({ status }: Pick<StoredOperation, "status">): boolean {
  return status.state === "quarantined" && status.error.code === "discarded";
}

/**
 * Whether it is a step for which its counter had no room: it lies in quarantine alone, and what it was sent with is in the
 * books [H4]. The server keeps its issues when the office discards it, and those of nothing else.
 */
export function isLeftOut({ action, status }: Pick<StoredOperation, "action" | "status">): boolean {
  if (action !== "increment" || status.state !== "quarantined") return false;
  const { code, issues } = status.error;
  return code === "counter_out_of_range" || (code === "discarded" && issues !== undefined);
}

/** Its final result from the server; `undefined` if there is none. */
export function resultOf({ status }: Pick<StoredOperation, "status">): ResultStamp | undefined {
  return "result" in status ? status.result : undefined;
}
