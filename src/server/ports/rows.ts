/**
 * The rows that the server remembers, per tenant: what is kept. How they are read and written is in store.ts.
 *
 * In all of them: a position is an integer up to 2^53 - 1; each is given out once in a tenant, in ascending order. A
 * time is an integer, epoch ms by the server's clock. An id is text of 1 to 64 of `A-Za-z0-9_-`, unless its comment
 * says otherwise.
 */

import type { ConflictResult, FinalResult, RowState, WireOperation } from "../../protocol/types.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import { type JsonObject, jsonBytes } from "../../shared/json.ts";

/** The row that every writing transaction of the tenant locks. A tenant has none before its first epoch. */
export interface TenantClock {
  /** The last change position given out. */
  readonly position: number;
  /** The operation or commit that took `position`. The two together make a mark. */
  readonly lastId: string;
  /** The epoch in force: opaque text, unique in the tenant. */
  readonly epoch: string;
  /** The ordinal of `epoch`: 1 for the tenant's first, then ascending. */
  readonly epochOrdinal: number;
  /** The position at which the epoch began: nothing of this epoch lies at or below it. */
  readonly epochStart: number;
  /** The last device number given out; 0 before the first. */
  readonly deviceNumber: number;
}

/** An epoch of the tenant: the one in force, one before it, or one that a restore has lost. */
export interface EpochRow {
  /** Opaque text, as tills send it. */
  readonly epoch: string;
  /** Its place among the tenant's epochs, from 1. */
  readonly ordinal: number;
  /** The position at which it began. 0 for an epoch that a restore has lost: only a till knew of it. */
  readonly start: number;
  /** When it began, or when a till made a lost one known. Epoch ms. */
  readonly at: number;
  /**
   * `first`: the tenant's first contact. `restored`: a till has shown that the database was restored.
   * `announced`: `announceRestore` was called.
   */
  readonly reason: "first" | "restored" | "announced";
}

/** Names a record or fact. */
export interface RecordKey {
  /** The collection's name. */
  readonly collection: string;
  /** The id within the collection. */
  readonly id: string;
}

/**
 * One (collection, id). Counters outlive the row: a stub holds those of a row that has not been created yet [H4].
 */
export interface RecordRow extends RecordKey {
  /** The change position of its last write. Unique in the tenant. */
  readonly version: number;
  /** The position of its (last) creation: the version of every field that has none of its own. 0 for a stub. */
  readonly createdVersion: number;
  /** `stub`: it has counters, and has not been created yet. A stub is never part of the change feed. */
  readonly state: "live" | "deleted" | "stub";
  /**
   * All fields except id and counters; a deleted row's as they were last, a stub's: empty. Assigned fields included.
   */
  readonly data: JsonObject;
  /** The value of each counter that has moved: a safe integer, or a decimal string. */
  readonly counters: Readonly<Record<string, CounterValue>>;
  /**
   * For each field: the version that wrote it last, and the incarnation that wrote it [C5]. The key `id` holds those of
   * the row's last creation or deletion. Empty for a fact.
   */
  readonly fields: Readonly<Record<string, readonly [version: number, incarnation: string]>>;
  /** The branch whose tills see the row; "" for the whole tenant. */
  readonly scope: string;
  /** The version of the collection's schema that `data` conforms to: an integer from 1. */
  readonly schemaVersion: number;
}

/** The row `id` left `scope` at `version`: tills of that branch must drop it. Removed when the row returns to it. */
export interface DepartureRow extends RecordKey {
  /** The branch that the row left; "" for the whole tenant. */
  readonly scope: string;
  /** The change position of the write by which it left. */
  readonly version: number;
}

/** In place of a row of which no copy was kept, because it is much larger than what was sent (L12). */
export interface OmittedRow {
  /** The version that the row had. */
  readonly version: number;
  readonly omitted: true;
}

/** A result as it is kept: that of a conflict may lack its row. */
export type StoredResult =
  | Exclude<FinalResult, ConflictResult>
  | (Omit<ConflictResult, "server"> & {
      /** The row that the operation met, or its version alone. */
      readonly server: RowState | OmittedRow;
    });

/** The result of one operation id, kept forever [L2]. */
export interface OperationRow {
  /** The operation's id. The key. */
  readonly id: string;
  /** The device that sent it, or that superseded it before it arrived. */
  readonly device: string;
  /** The incarnation of the device's local store. */
  readonly incarnation: string;
  /**
   * An integer from 1; (incarnation, sequence) is unique [C7]. `undefined`: the id was superseded before it was ever
   * seen, the operation named no valid sequence, or this is the second payload of a used id.
   */
  readonly sequence: number | undefined;
  /** The collection's name; "" if the operation was malformed and named none. */
  readonly collection: string;
  /** The record's id; "" if the operation was malformed and named none. */
  readonly entityId: string;
  /** The id of the wire transaction. `undefined`: it was sent alone. */
  readonly transaction: string | undefined;
  /** Payload identity [H8]: a digest as hexadecimal text; "" if the id was superseded before it was ever seen. */
  readonly hash: string;
  /** The status of `result`. */
  readonly status: FinalResult["status"];
  /** The position at which it took effect; 0 if it was not applied, or had nothing to write. */
  readonly version: number;
  /** The position at which the result was first committed. It never changes: marks point at it. */
  readonly position: number;
  /** The position of the last revision; until one, `position`. An answer's results are selected by it [C6]. */
  readonly feedPosition: number;
  /** How often another party has changed the result since: 0, then ascending. */
  readonly revision: number;
  /** The operation or commit that stands in its place. `undefined`: none. */
  readonly supersededBy: string | undefined;
  /** Stored as text, and returned to every resend [H9]. */
  readonly result: StoredResult;
  /**
   * What was sent, or the start of its text if it was too large. `undefined`: the id was superseded before it was ever
   * seen. If it was malformed, it may have any shape.
   */
  readonly operation: WireOperation | undefined;
  /** When it, or what superseded it, was received. Epoch ms. */
  readonly receivedAt: number;
  /**
   * The person whom the token named when it, or what superseded it, was received. `undefined`: the token named nobody.
   * Whom the operation itself names is the till's word only.
   */
  readonly sentBy: string | undefined;
  /** The branch of that token. `undefined`: the whole tenant. */
  readonly sentFrom: string | undefined;
}

/** An operation's result without what was sent: a device may have thousands of them. */
export type ResultRow = Omit<OperationRow, "operation">;

/** A quarantined operation that still waits for a person: neither released, nor superseded, nor discarded. */
export function isOpenQuarantine({ status, supersededBy, result }: OperationRow): boolean {
  return (
    status === "quarantined" && supersededBy === undefined && !("error" in result && result.error.code === "discarded")
  );
}

/** UTF-8 bytes of the JSON of what was sent. */
export function heldBytes({ operation }: Pick<OperationRow, "operation">): number {
  return operation === undefined ? 0 : jsonBytes(JSON.stringify(operation));
}

/** A position that no operation took: a new epoch, a conflict's resolution, a release, a discard, an import. */
export interface CommitRow {
  /** The commit's id. The key. */
  readonly id: string;
  /** The last position that it took. */
  readonly position: number;
  /** What took it. Nothing writes `register` yet. */
  readonly kind: "epoch" | "resolve" | "release" | "discard" | "import" | "register";
  /** The person, as the token or the import names them. `undefined`: not named, or no person's act. */
  readonly actor: string | undefined;
  /** When it was decided. Epoch ms. */
  readonly at: number;
}

/** A device that has called, or that was revoked before it did. */
export interface DeviceRow {
  /** The device's id. The key. */
  readonly id: string;
  /** The name that it gave itself when it registered. `undefined`: none. */
  readonly name: string | undefined;
  /** The operating system that it reported. `undefined`: none. */
  readonly os: string | undefined;
  /** The app version that it reported. `undefined`: none. */
  readonly appVersion: string | undefined;
  /** The branch of its token when it last registered. `undefined`: the whole tenant. */
  readonly branch: string | undefined;
  /** The first contact, or the revocation before it. Epoch ms. */
  readonly registeredAt: number;
  /** Since when it is revoked, epoch ms. `undefined`: it is not. */
  readonly revokedAt: number | undefined;
  /** Its last push, epoch ms. `undefined`: none yet. */
  readonly lastPushAt: number | undefined;
}

/** One life of a device's local store: a new one begins if the store was lost or copied. Key: (device, incarnation). */
export interface IncarnationRow {
  /** The incarnation's id. */
  readonly incarnation: string;
  /** The device that it belongs to. */
  readonly device: string;
  /** From 1, unique in the tenant: the prefix of the documents that this store numbers [C7]. */
  readonly number: number;
  /** The first contact. Epoch ms. */
  readonly registeredAt: number;
  /**
   * The sequence number from which missing ones are counted: as the till has named it, or the lowest of the first push
   * that brought any. `undefined`: neither yet.
   */
  readonly firstSequence: number | undefined;
  /** The highest sequence number received; 0: none yet. */
  readonly lastSequence: number;
  /** How many different sequence numbers from `firstSequence` on have arrived. Less than there are up to the last: some are missing. */
  readonly received: number;
}

/** A conflict on the desk, open or settled. */
export interface ConflictRow {
  /** The conflict's id: that of the operation. The key. */
  readonly id: string;
  /** The edit that lost. */
  readonly operationId: string;
  /** The record's collection. */
  readonly collection: string;
  /** The record's id. */
  readonly entityId: string;
  /** The fields that both sides changed. Empty if the whole row is in conflict. */
  readonly fields: readonly string[];
  /** The content of the edit that lost: its patch, its data, or {} for a delete. */
  readonly client: JsonObject;
  /** The row that stood against it, when the conflict was detected. */
  readonly server: RowState | OmittedRow;
  /** The branch whose people decide; "" for the whole tenant. */
  readonly scope: string;
  /** The device that sent the edit. */
  readonly device: string;
  /** The person whom the edit names. `undefined`: none. */
  readonly actor: string | undefined;
  /** Epoch ms. */
  readonly detectedAt: number;
  /** The position of the conflict, for keyset pages. */
  readonly position: number;
  /**
   * `undefined`: it is open. `choice`: whose content stands. `by`: the person, or `policy` if a policy has settled it.
   * `at`: epoch ms. `note`: what the person wrote; `undefined`: nothing.
   */
  readonly settled:
    | {
        readonly choice: "server" | "client" | "merged";
        readonly by: string;
        readonly at: number;
        readonly note: string | undefined;
      }
    | undefined;
}

/** More was sold than there was, as a policy has reported it. */
export interface DiscrepancyRow {
  /** The operation's id, `-` and the discrepancy's index from 0. The key; up to 80 characters. */
  readonly id: string;
  /** The operation that met it. */
  readonly operationId: string;
  /** The product, as the policy names it. */
  readonly product: string;
  /** The quantity that the operation needed; may have a fraction. */
  readonly expected: number;
  /** The quantity that there was; may be negative, and have a fraction. */
  readonly available: number;
  /** When the operation was received. Epoch ms. */
  readonly at: number;
  /** The position of the discrepancy, for keyset pages. */
  readonly position: number;
  /** What people found out. `undefined`: nothing yet. No part of the server writes it yet. */
  readonly resolution: string | undefined;
}

/**
 * A record as the feed returns it: only what a page shows. Its documents are the text that `JSON.stringify` made of
 * them, because most of them only pass through into an answer.
 */
export interface FeedRow extends Pick<RecordRow, "id" | "version" | "state" | "schemaVersion"> {
  /** JSON text of {@link RecordRow.data}. */
  readonly data: string;
  /** JSON text of {@link RecordRow.counters}. */
  readonly counters: string;
}
