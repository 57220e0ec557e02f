/**
 * Receipts: proofs, given with each `applied` result, that this server has given it [C8.5]. After a restore nothing else
 * remembers what became of an operation, so a till could make up any version and any assigned value. The key is in the
 * database, and so in its backup (docs/decisions/sealed-receipts.md).
 */
import type { OperationResult } from "../../protocol/types.ts";
import { canonicalJson, type JsonObject } from "../../shared/json.ts";
import type { Seal } from "./seal.ts";

/** What a receipt proves: the operation, and all of the result that the server takes over after a restore. */
export interface Receipted {
  readonly tenant: string;
  /** The operation's id. */
  readonly id: string;
  /** The identity of its payload [H8], as it was sent. */
  readonly hash: string;
  /** The epoch of the answer that had the result: the one that the till keeps beside it. */
  readonly epoch: string;
  readonly version: number;
  readonly assigned?: JsonObject | undefined;
  /** The schema version of `assigned`; it means nothing without. */
  readonly schemaVersion?: number | undefined;
}

export function receiptOf(seal: Seal, receipted: Receipted): Promise<string> {
  return seal.mac(textOf(receipted));
}

export function isReceiptOf(seal: Seal, receipted: Receipted, receipt: string): Promise<boolean> {
  return seal.verify(textOf(receipted), receipt);
}

/** One JSON text, so no two of its parts can be taken for each other. The first word keeps it apart from other tokens. */
function textOf({ tenant, id, hash, epoch, version, assigned, schemaVersion }: Receipted): string {
  const values = assigned === undefined ? [] : [assigned, schemaVersion ?? null];
  return `receipt ${canonicalJson([tenant, id, hash, epoch, version, ...values])}`;
}

interface Answer {
  readonly tenant: string;
  readonly epoch: string;
  readonly results: readonly OperationResult[];
  /** The payload identity of each applied result's operation. */
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * The results as they are sent. Receipts are not stored with them: a stored result is sent again in later epochs, and a
 * receipt is for the epoch of its answer.
 */
export function withReceipts(seal: Seal, { tenant, epoch, results, hashes }: Answer): Promise<OperationResult[]> {
  // Together: a digest may be asynchronous, and an answer may have a thousand results.
  return Promise.all(
    results.map(async (result) => {
      const hash = hashes.get(result.id);
      if (result.status !== "applied" || !hash) return result;
      return { ...result, receipt: await receiptOf(seal, { ...result, tenant, hash, epoch }) };
    }),
  );
}
