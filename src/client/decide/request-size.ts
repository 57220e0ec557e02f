/**
 * How much one request may carry: the operations of a push, the changes of a page. Pure.
 *
 * It shrinks if the server refuses a batch, or if the line is too slow for it, and grows back afterwards (L6).
 */
import type { TransportFailure } from "../ports/transport.ts";

/** `count`: operations, or changes of a page. `bytes`: their JSON. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** The most that the next request may carry. One unit, or one change, is sent even if it has more. */
export interface RequestSize extends Amount {
  /** How many times in a row the server failed (500) on a push of this size. */
  readonly failures: number;
  /** How long the last request took that was too slow, in ms; `undefined` if none was. */
  readonly patienceMs?: number | undefined;
}

export const fullSize = ({ count, bytes }: Amount): RequestSize => ({ count, bytes, failures: 0 });

/** A single 500 may have nothing to do with the batch, so only repeated ones shrink it. */
const FAILURES_BEFORE_HALVING = 3;
/** A request that breaks after this time may have been cut by a proxy or a cell that did not wait for it. */
const LONG_MS = 5_000;

/**
 * After an answer to a request that carried `carried` and took `tookMs`: at most twice as much, and not more than would
 * take half of the time after which a request was too slow. So a size that failed is not tried again at once.
 */
export function afterAnswer(size: RequestSize, max: Amount, carried: Amount, tookMs: number): RequestSize {
  const { patienceMs } = size;
  const grown = (key: keyof Amount): number => {
    const doubled = Math.max(size[key], carried[key]) * 2;
    const inTime = patienceMs === undefined ? doubled : (carried[key] * patienceMs) / 2 / Math.max(1, tookMs);
    return Math.min(max[key], Math.max(size[key], Math.floor(Math.min(doubled, inTime))));
  };
  return { ...size, count: grown("count"), bytes: grown("bytes"), failures: 0 };
}

/**
 * Whether the line may have been too slow for the request: it ran into the deadline, or it broke only after a while.
 */
export function isTooSlow(failure: TransportFailure, tookMs: number): boolean {
  if (failure.kind === "unreachable") return failure.reason === "timeout" || tookMs >= LONG_MS;
  return failure.kind === "server_error" && failure.status > 500 && tookMs >= LONG_MS;
}

/**
 * After a request that was too slow: a quarter of what it carried, down to one unit or one change. Halves would need
 * twice as many deadlines to get from 2 MiB to what a line of 2 KB/s carries in one.
 */
export function afterTooSlow(size: RequestSize, carried: Amount, tookMs: number): RequestSize {
  const quarter = (key: keyof Amount) => Math.max(1, Math.floor(Math.min(size[key], carried[key]) / 4));
  return { count: quarter("count"), bytes: quarter("bytes"), failures: 0, patienceMs: tookMs };
}

export interface Halving {
  readonly size: RequestSize;
  /** The push had only one unit, so that unit is what the server refuses. */
  readonly single: boolean;
}

/**
 * After 400 or 413: half of the `count` operations that were sent, down to one transaction [C9]. `units`: how many
 * transactions and single operations they were.
 */
export function afterRefusal(size: RequestSize, count: number, units: number): Halving {
  return { size: { ...size, count: Math.max(1, Math.floor(count / 2)), failures: 0 }, single: units <= 1 };
}

/** After a 500: the same, once it has happened several times in a row. */
export function afterServerError(size: RequestSize, count: number, units: number): Halving {
  const failures = size.failures + 1;
  if (failures < FAILURES_BEFORE_HALVING) return { size: { ...size, failures }, single: false };
  return afterRefusal(size, count, units);
}
