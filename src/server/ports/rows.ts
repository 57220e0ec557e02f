/** The rows that the server remembers, per tenant: what is kept. How it is asked for is in store.ts. */
import type { CounterValue, FinalResult, RowState, WireOperation } from "../../protocol/types.ts";
import type { JsonObject } from "../../shared/json.ts";

/** The row that every writing transaction of the tenant locks. */
export interface TenantClock {
  /** The last change position given out. */
  readonly position: number;
  /** The operation or commit that took it: with `position` it makes a mark. */
  readonly lastId: string;
  readonly epoch: string;
  readonly epochOrdinal: number;
  /** The position at which the epoch began: nothing of this epoch lies at or below it. */
  readonly epochStart: number;
  /** The last device number given out. */
  readonly deviceNumber: number;
}

export interface EpochRow {
  readonly epoch: string;
  readonly ordinal: number;
  readonly start: number;
  readonly at: number;
  readonly reason: "first" | "restored" | "announced";
}

export interface RecordKey {
  readonly collection: string;
  readonly id: string;
}

/** One (collection, id). Counters outlive the row: a stub holds those of a row that nobody has created yet [H4]. */
export interface RecordRow extends RecordKey {
  /** The change position of its last write. Unique in the tenant. */
  readonly version: number;
  /** The position of its (last) creation: the version of every field that has none of its own. 0 for a stub. */
  readonly createdVersion: number;
  readonly state: "live" | "deleted" | "stub";
  /** Without id and counters; assigned fields are in it. Of a deleted row: as it was; of a stub: empty. */
  readonly data: JsonObject;
  readonly counters: Readonly<Record<string, CounterValue>>;
  /** Per field: the version that wrote it last and the incarnation it came from [C5]. */
  readonly fields: Readonly<Record<string, readonly [version: number, incarnation: string]>>;
  /** The branch that sees the row; "" for the whole tenant. */
  readonly scope: string;
  readonly schemaVersion: number;
}

/** The row `id` left `scope` at `version`: tills of that branch must drop it. Goes when the row comes back into the scope. */
export interface DepartureRow extends RecordKey {
  readonly scope: string;
  readonly version: number;
}

/** Kept for ever: one per operation id [L2]. */
export interface OperationRow {
  readonly id: string;
  readonly device: string;
  readonly incarnation: string;
  /** `undefined` for an id that was superseded before it was ever seen. (incarnation, sequence) is unique [C7]. */
  readonly sequence: number | undefined;
  readonly collection: string;
  readonly entityId: string;
  readonly transaction: string | undefined;
  /** Payload identity [H8]; "" for an id that was superseded before it was ever seen. */
  readonly hash: string;
  readonly status: FinalResult["status"];
  readonly version: number;
  /** Where the result was first committed. Never changes: marks point at it. */
  readonly position: number;
  /** Where it was last revised; otherwise equal to `position`. What the results of an answer are selected by [C6]. */
  readonly feedPosition: number;
  readonly revision: number;
  readonly supersededBy: string | undefined;
  /** Stored as text, answered again for ever [H9]. */
  readonly result: FinalResult;
  /** What was sent; thinned after the journal window. */
  readonly operation: WireOperation | undefined;
  readonly receivedAt: number;
}

/** What an operation came to, without what was sent: a device may have thousands of them. */
export type ResultRow = Omit<OperationRow, "operation">;

/** A quarantined operation that still waits for a person: neither released, nor superseded, nor discarded. */
export function isOpenQuarantine({ status, supersededBy, result }: OperationRow): boolean {
  return (
    status === "quarantined" && supersededBy === undefined && !("error" in result && result.error.code === "discarded")
  );
}

/** A position that no operation took: a new epoch, a resolution, a release, an import. */
export interface CommitRow {
  readonly id: string;
  readonly position: number;
  readonly kind: "epoch" | "resolve" | "release" | "discard" | "import" | "register";
  readonly actor: string | undefined;
  readonly at: number;
}

export interface DeviceRow {
  readonly id: string;
  readonly name: string | undefined;
  readonly os: string | undefined;
  readonly appVersion: string | undefined;
  readonly branch: string | undefined;
  readonly registeredAt: number;
  readonly revokedAt: number | undefined;
  readonly lastPushAt: number | undefined;
}

export interface IncarnationRow {
  readonly incarnation: string;
  readonly device: string;
  readonly number: number;
  readonly registeredAt: number;
  readonly firstSequence: number | undefined;
  readonly lastSequence: number;
  /** How many different sequence numbers arrived. */
  readonly received: number;
}

export interface ConflictRow {
  readonly id: string;
  readonly operationId: string;
  readonly collection: string;
  readonly entityId: string;
  readonly fields: readonly string[];
  /** The edit that lost: its patch, data, or {} for a delete. */
  readonly client: JsonObject;
  readonly server: RowState;
  readonly scope: string;
  readonly device: string;
  readonly actor: string | undefined;
  readonly detectedAt: number;
  /** Position of the conflict, for keyset pages. */
  readonly position: number;
  readonly settled:
    | {
        readonly choice: "server" | "client" | "merged";
        readonly by: string;
        readonly at: number;
        readonly note: string | undefined;
      }
    | undefined;
}

export interface DiscrepancyRow {
  readonly id: string;
  readonly operationId: string;
  readonly product: string;
  readonly expected: number;
  readonly available: number;
  readonly at: number;
  readonly position: number;
  readonly resolution: string | undefined;
}

/**
 * A record as the feed has it: what a page shows of it. Its documents are the text that `JSON.stringify` made of them, as most only pass
 * through into an answer.
 */
export interface FeedRow extends Pick<RecordRow, "id" | "version" | "state" | "schemaVersion"> {
  /** Of {@link RecordRow.data}. */
  readonly data: string;
  /** Of {@link RecordRow.counters}. */
  readonly counters: string;
}
