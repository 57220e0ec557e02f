/** Epochs: whether this server still has the history that a till has seen, and what follows if not [C8]. */
import type { EpochRow } from "../ports/rows.ts";
import { holds, type MarksSeen, marksIn } from "./rows/marks.ts";
import type { WorkingSet } from "./rows/working-set.ts";

/** What a request says of its epoch, after its authentication. */
export type EpochClaim =
  /** None: the first contact. */
  | { readonly kind: "none" }
  /** Given out by this database, or by the one that it is a copy of. */
  | { readonly kind: "authentic"; readonly epoch: string; readonly ordinal: number }
  /** Of another database, or made up. */
  | { readonly kind: "foreign" }
  /** Another tenant's. */
  | { readonly kind: "other_tenant" };

/**
 * - `current`: this history. `stale`: an epoch that is over, or none of ours: start again, and keep the operations.
 * - `restored`: the till has seen what this server has lost. A new epoch must be minted, in a transaction of its own.
 */
export type Standing = "current" | "stale" | "restored" | "wrong_workspace";

export function standingOf(ws: WorkingSet, claim: EpochClaim, marks: MarksSeen): Standing {
  if (claim.kind === "other_tenant") return "wrong_workspace";
  if (claim.kind !== "authentic") return "stale";
  if (claim.epoch !== ws.clock.epoch) {
    const isKnown = ws.epochs().some(({ epoch }) => epoch === claim.epoch);
    // Nothing of an earlier epoch lies above the start of this one. A mark that does is of a history that was lost, and its numbers
    // must not be met again.
    const isAbove = marksIn(marks).some((mark) => !holds(ws, mark));
    return isKnown && !isAbove ? "stale" : "restored";
  }
  // Both marks: with a single one, an answer of the lost history could hide behind an answer of the new history [C8.2].
  return marksIn(marks).every((mark) => holds(ws, mark)) ? "current" : "restored";
}

/** The answer to a request that shows a restore, or that no epoch has begun yet. */
export interface NeedsEpoch {
  readonly kind: "restored";
  /** The epoch in which it was seen: if it is another one by then, somebody else has minted it. */
  readonly observed: string | undefined;
}

export function needsEpoch(ws: WorkingSet): NeedsEpoch {
  return { kind: "restored", observed: ws.hasClock ? ws.clock.epoch : undefined };
}

/** Positions in a second: ranges of lost histories are not met again [C8.1]. */
const POSITIONS_PER_SECOND = 2 ** 20;
/** Device numbers that a lost history may have given out since the backup: they are printed on receipts [C8.9]. */
const NUMBERS_SKIPPED = 100;

export interface Minting {
  /** See {@link NeedsEpoch}. */
  readonly observed: string | undefined;
  readonly epoch: string;
  readonly ordinal: number;
  readonly commitId: string;
  /** The highest position that a till has shown to have seen. */
  readonly seen: number;
  readonly now: number;
  readonly reason: EpochRow["reason"];
  /**
   * An authentic epoch that this history has never had. It goes into the list with the new one: every other till that is still in it
   * would have another one minted.
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
