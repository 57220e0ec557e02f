/**
 * What one push may cost (L12): a till is a browser on a counter, and its token may be in anybody's hands.
 *
 * What a push may not do is not refused but put off: `retry` stores nothing, loses nothing, and the next push begins
 * with it. docs/security.md has the figures.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { RetryResult } from "../../protocol/types.ts";
import type { PreparedOperation } from "./operation/prepared-operation.ts";
import { retry } from "./operation/verdicts.ts";
import type { Viewpoint } from "./rows/sender.ts";
import type { WorkingSet } from "./rows/working-set.ts";
import type { Unit } from "./transaction.ts";

/** Ids in `after` and `supersedes` of one push. Each is looked up, and an unknown one may become a row. */
export const NAMED_IDS = 1_000;

/** Bytes of the shop's rows that one push may have read, about: what it names beyond that is put off. */
export const LOADED_BYTES = 16 * 1024 * 1024;
/** What is judged in one piece may lead to more of them: this is what one piece may have in memory. */
export const LOADED_BYTES_OF_UNIT = 64 * 1024 * 1024;
/** How many bytes of rows its answer may carry: as many as a page, and as many as were sent. */
export function answerBytesOf({ sentBytes }: { readonly sentBytes: number }): number {
  return LIMITS.pullBytes + sentBytes;
}

/** Operations whose rows are read before their bytes are counted. */
const OPERATIONS_PER_READ = 64;

/** What one device may have waiting in quarantine: a busy till's work of weeks. */
const QUARANTINE = { operations: 10_000, bytes: 32 * 1024 * 1024 } as const;
/** Of a revoked device it is less: it may be in a thief's hands, and hands over what it holds as people look through it. */
const QUARANTINE_OF_REVOKED = { operations: 5_000, bytes: 4 * 1024 * 1024 } as const;
const QUARANTINE_RETRY_MS = 300_000;

/** The first unit behind `from` whose rows are not read together with those of the units before. */
export function nextReach(units: readonly Unit[], from: number): number {
  let operations = 0;
  const end = units.findIndex(({ members }, index) => {
    if (index < from) return false;
    operations += members.length;
    return index > from && operations > OPERATIONS_PER_READ;
  });
  return end === -1 ? units.length : end;
}

export interface WithinBudget {
  readonly units: readonly Unit[];
  readonly putOff: readonly Unit[];
}

/**
 * The units that are judged: the first, and as many behind it as name {@link NAMED_IDS} ids together. The first does not
 * count: if it has to wait, the others must not wait with it. Its own size bounds what it names.
 */
export function withinBudget(all: readonly Unit[]): WithinBudget {
  let named = 0;
  const end = all.findIndex(({ members }, index) => {
    if (index === 0) return false;
    for (const { parsed } of members) {
      if (parsed.ok) named += (parsed.value.after?.length ?? 0) + (parsed.value.supersedes?.length ?? 0);
    }
    return named > NAMED_IDS;
  });
  return end === -1 ? { units: all, putOff: [] } : { units: all.slice(0, end), putOff: all.slice(end) };
}

export function putOffResult(member: Pick<PreparedOperation, "id">): RetryResult {
  return retry(member, "push_budget", "The push asks for more than one push may: send the rest again", 0);
}

/** Whether this decision has filled the device's quarantine beyond what it may hold. */
export function exceedsQuota(ws: WorkingSet, { device, revoked }: Viewpoint): boolean {
  if (ws.addedToQuarantine(device).operations <= 0) return false;
  const { operations, bytes } = ws.held(device);
  const quota = revoked === true ? QUARANTINE_OF_REVOKED : QUARANTINE;
  return operations > quota.operations || bytes > quota.bytes;
}

export function quarantineFull(member: Pick<PreparedOperation, "id">): RetryResult {
  const message = "The device has too much in quarantine: people have to look through it first";
  return retry(member, "quarantine_full", message, QUARANTINE_RETRY_MS);
}
