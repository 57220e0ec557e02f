/** Epochs: whether this server still has the history that a till has seen, and what follows if not [C8]. */
import type { EpochRow } from "../ports/rows.ts";
import { holds, type MarksSeen, marksIn } from "./rows/marks.ts";
import type { WorkingSet } from "./rows/working-set.ts";

/** The epoch that a request names, after its token was verified. */
export type EpochClaim =
  /** The request names none: it is the first contact. */
  | { readonly kind: "none" }
  /** Issued by this database, or by the one that it was restored from. */
  | { readonly kind: "authentic"; readonly epoch: string; readonly ordinal: number }
  /** Issued by another database, or forged. */
  | { readonly kind: "foreign" }
  /** Issued to another tenant. */
  | { readonly kind: "other_tenant" };

/**
 * - `current`: the till follows this history.
 * - `stale`: its epoch is over, or is not one of this server's. It must pull from the start, and keeps its operations.
 * - `restored`: the till has seen something that this server has lost. A new epoch must be minted, in a transaction of
 *   its own.
 */
export type Standing = "current" | "stale" | "restored" | "wrong_workspace";

export function standingOf(ws: WorkingSet, claim: EpochClaim, marks: MarksSeen): Standing {
  if (claim.kind === "other_tenant") return "wrong_workspace";
  if (claim.kind !== "authentic") return "stale";
  if (claim.epoch !== ws.clock.epoch) {
    const isKnown = ws.epochs().some(({ epoch }) => epoch === claim.epoch);
    // No position of an earlier epoch lies above the start of this one. A mark that does lie there belongs to a lost
    // history, and its positions must not be given out again.
    const isAbove = marksIn(marks).some((mark) => !holds(ws, mark));
    return isKnown && !isAbove ? "stale" : "restored";
  }
  // Both marks are checked: with a single one, an answer of the lost history could hide behind an answer of the new
  // history [C8.2].
  return marksIn(marks).every((mark) => holds(ws, mark)) ? "current" : "restored";
}

/** The outcome of a request that reveals a restore, or that no epoch has begun yet. */
export interface NeedsEpoch {
  readonly kind: "restored";
  /**
   * The epoch in force when that was noticed. If another one is in force at the time of minting, another request has
   * minted it already.
   */
  readonly observed: string | undefined;
}

export function needsEpoch(ws: WorkingSet): NeedsEpoch {
  return { kind: "restored", observed: ws.hasClock ? ws.clock.epoch : undefined };
}

/**
 * Positions per second of the clock. A new epoch starts beyond them, so positions of a lost history are not given out
 * again [C8.1].
 */
const POSITIONS_PER_SECOND = 2 ** 20;
/** How many device numbers a lost history may have given out since the backup. They are printed on receipts [C8.9]. */
const NUMBERS_SKIPPED = 100;

export interface Minting {
  /** See {@link NeedsEpoch}. */
  readonly observed: string | undefined;
  readonly epoch: string;
  readonly ordinal: number;
  readonly commitId: string;
  /** The highest position that a till has proved to have seen. */
  readonly seen: number;
  readonly now: number;
  readonly reason: EpochRow["reason"];
  /**
   * An authentic epoch that this history has never had. It is stored together with the new one: otherwise every other
   * till that is still in the lost epoch would cause another epoch to be minted.
   */
  readonly lost?: { readonly epoch: string; readonly ordinal: number } | undefined;
}

/** The epoch in force afterwards. */
export function mintEpoch(ws: WorkingSet, minting: Minting): string {
  const { epoch, ordinal, commitId, reason, now } = minting;
  const before = ws.hasClock ? ws.clock : undefined;
  if (before?.epoch !== minting.observed) return before?.epoch ?? epoch;
  const clockPosition = Math.floor(now / 1000) * POSITIONS_PER_SECOND;
  const start = Math.max(before?.position ?? 0, minting.seen, clockPosition) + POSITIONS_PER_SECOND;
  const skipped = before === undefined || reason === "first" ? 0 : NUMBERS_SKIPPED;
  ws.setClock({
    position: start,
    lastId: commitId,
    epoch,
    epochOrdinal: ordinal,
    epochStart: start,
    deviceNumber: (before?.deviceNumber ?? 0) + skipped,
  });
  ws.putEpoch({ epoch, ordinal, start, at: now, reason });
  const { lost } = minting;
  if (lost !== undefined && !ws.epochs().some((known) => known.epoch === lost.epoch)) {
    ws.putEpoch({ ...lost, start: 0, at: now, reason: "restored" });
  }
  ws.putCommit({ id: commitId, position: start, kind: "epoch", actor: undefined, at: now });
  ws.log(reason === "first" ? "info" : "error", "A new epoch began", { reason, ordinal });
  return epoch;
}
