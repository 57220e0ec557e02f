/** Mints epochs: in a transaction of its own, and once, however many tills find out at the same time [C8.2]. */
import { type EpochClaim, mintEpoch } from "../decide/epoch.ts";
import { type MarksSeen, marksIn } from "../decide/rows/marks.ts";
import { asScript } from "../decide/rows/run.ts";
import type { ServerParts } from "../options.ts";
import type { EpochRow } from "../ports/rows.ts";
import { ask } from "../ports/store.ts";
import { storeFailure } from "../problems.ts";
import type { Tokens } from "../tokens/tokens.ts";
import { logAll } from "./log.ts";

export interface MintReason {
  /** The epoch in which the need was seen; `undefined`: there was none. */
  readonly observed: string | undefined;
  readonly claim?: EpochClaim | undefined;
  readonly marks?: MarksSeen | undefined;
  readonly announced?: boolean | undefined;
}

type Needed = Pick<ServerParts, "store" | "random" | "logger"> & { readonly clock: Pick<ServerParts["clock"], "now"> };

/**
 * The epoch that holds afterwards. Its token is made outside of the transaction, because a digest may be asynchronous: should the
 * epoch have changed in between, somebody else has done it.
 */
export async function beginEpoch(
  { store, clock, random, logger }: Needed,
  tokens: Tokens,
  tenant: string,
  { observed, claim, marks, announced }: MintReason,
): Promise<string> {
  const epochs = await store
    .read(tenant, function* script() {
      return yield* ask({ kind: "epochs" });
    })
    .catch(rethrow);
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
  const committed = await store.transact(tenant, asScript({ decide: (ws) => mintEpoch(ws, minting) })).catch(rethrow);
  logAll(logger, committed.logged, { tenant });
  return committed.value;
}

function rethrow(error: unknown): never {
  throw storeFailure(error);
}
