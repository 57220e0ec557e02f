/**
 * Mints epochs, each in a transaction of its own, and only once, however many tills notice the need at the same time
 * [C8.2].
 */
import { type EpochClaim, mintEpoch } from "../decide/epoch.ts";
import { type MarksSeen, marksIn } from "../decide/rows/marks.ts";
import type { ServerParts } from "../options.ts";
import type { EpochRow } from "../ports/rows.ts";
import { ask } from "../ports/store.ts";
import { throwStoreFailure } from "../problems.ts";
import type { Tokens } from "../tokens/tokens.ts";
import { commitDecision } from "./commit.ts";

export interface MintReason {
  /** The epoch in force when the need was noticed; `undefined`: there was none. */
  readonly observed: string | undefined;
  readonly claim?: EpochClaim | undefined;
  readonly marks?: MarksSeen | undefined;
  readonly announced?: boolean | undefined;
}

type Needed = Pick<ServerParts, "store" | "random" | "logger"> & { readonly clock: Pick<ServerParts["clock"], "now"> };

/**
 * Returns the epoch in force afterwards. Its token is made outside of the transaction, because a digest may be
 * asynchronous. If the epoch has changed in between, another request has minted one already, and that one is returned.
 */
export async function beginEpoch(
  parts: Needed,
  tokens: Tokens,
  tenant: string,
  { observed, claim, marks, announced }: MintReason,
): Promise<string> {
  const { store, clock, random } = parts;
  const epochs = await store
    .read(tenant, function* script() {
      return yield* ask({ kind: "epochs" });
    })
    .catch(throwStoreFailure);
  const lost = claim?.kind === "authentic" && !epochs.some(({ epoch }) => epoch === claim.epoch) ? claim : undefined;
  const ordinal = Math.max(0, lost?.ordinal ?? 0, ...epochs.map((known) => known.ordinal)) + 1;
  const seen = Math.max(0, ...(marks === undefined ? [] : marksIn(marks)).map(({ position }) => position));
  const reason: EpochRow["reason"] = announced
    ? "announced"
    : observed === undefined && lost === undefined
      ? "first"
      : "restored";
  const minting = {
    observed,
    epoch: await tokens.makeEpoch(tenant, ordinal, random.uuid()),
    ordinal,
    commitId: random.uuid(),
    seen,
    now: clock.now(),
    reason,
    lost: lost === undefined ? undefined : { epoch: lost.epoch, ordinal: lost.ordinal },
  };
  return commitDecision(parts, tenant, { decide: (ws) => mintEpoch(ws, minting) }, throwStoreFailure);
}
