/** The state of one record. */
import type { CollectionShape } from "../../schema/types.ts";

// ── The state of one record ──
export type RecordSync = "synced" | "pending" | "blocked" | "conflict" | "rejected" | "quarantined";
export interface RecordMeta {
  /** 0 until the server has it. */
  readonly version: number;
  readonly sync: RecordSync;
  readonly pendingOperations: number;
  readonly flags: readonly Flag[];
  /** When this device last wrote it; `undefined` for what came from others. */
  readonly changedHereAt: number | undefined;
  /** Deleted here, and the server has not confirmed it: `get` and `find` no longer show it. */
  readonly deleted: boolean;
  readonly conflictId: string | undefined;
}
export interface Flag {
  /** `stock_discrepancy`, `unknown_product`, … or a policy's own. */
  readonly code: string;
  readonly message?: string | undefined;
  readonly discrepancyId?: string | undefined;
}
export interface Verdict {
  readonly code: string;
  readonly message: string;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}
export type Settlement<H extends CollectionShape> =
  | { readonly state: "applied"; readonly record: H["record"]; readonly flags: readonly Flag[] }
  | { readonly state: "deleted" }
  | { readonly state: "conflict"; readonly conflictId: string }
  | { readonly state: "quarantined"; readonly reason: Verdict }
  | { readonly state: "rejected"; readonly reason: Verdict };
