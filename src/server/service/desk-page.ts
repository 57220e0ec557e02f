/**
 * One page of a desk. It ends at its limit, at its bytes, at the number of rows that it may look at, or with the desk.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { DeskQuery } from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import { weightOf } from "../decide/rows/weight.ts";
import { malformed } from "../problems.ts";

const PAGE_ROWS = 100;
/** Rows per read. Desk rows may be large, and a page holds about as much as a pull's (L12). */
const ROWS_PER_READ = 20;
/** How many rows one page may look at. Rows that the caller may not see are skipped, but still cost a read. */
const MAX_LOOKED_AT = 2_000;
/** The same in bytes, about: many devices' quarantine may be full of large rows of another branch. */
const MAX_BYTES_LOOKED_AT = 16 * 1024 * 1024;

export interface PageRange {
  readonly limit: number;
  /** The position after which the page begins. */
  readonly start: number;
}

export function rangeOf({ limit = PAGE_ROWS, after }: DeskQuery): PageRange {
  const start = Number(after ?? 0);
  if (!Number.isSafeInteger(start) || start < 0)
    throw malformed([{ path: "after", message: "Expected `next` of the previous page" }]);
  return { limit, start };
}

/** A page while it is filled, read by read, in the order of positions. */
export class DeskPage<Row extends { readonly position: number }> {
  readonly rows: Row[] = [];
  readonly #limit: number;
  #budget: number = LIMITS.pullBytes;
  #lookedAt = 0;
  #bytesLookedAt = 0;
  #isDone = false;
  /** The last position that was looked at; `undefined`: the desk has no more rows. */
  #position: number | undefined;

  constructor({ limit, start }: PageRange) {
    this.#limit = limit;
    this.#position = start;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get nextRead(): { readonly after: number; readonly limit: number } {
    return { after: this.#position ?? 0, limit: Math.min(this.#limit, ROWS_PER_READ) };
  }

  /** Takes the rows of one read. */
  add(batch: readonly Row[], isShown: (row: Row) => boolean): void {
    for (const row of batch) {
      if (isShown(row) && !this.#addIfItFits(row)) {
        this.#isDone = true;
        return;
      }
      this.#position = row.position;
    }
    this.#lookedAt += batch.length;
    this.#bytesLookedAt += weightOf(batch);
    if (batch.length < this.nextRead.limit) this.#position = undefined;
    const isEnough = this.#lookedAt >= MAX_LOOKED_AT || this.#bytesLookedAt >= MAX_BYTES_LOOKED_AT;
    this.#isDone = this.#position === undefined || isEnough;
  }

  /** Adds the row if there is room. At least one row is always added, however large. */
  #addIfItFits(row: Row): boolean {
    this.#budget -= jsonBytes(JSON.stringify(row));
    if (this.rows.length >= this.#limit || (this.#budget < 0 && this.rows.length > 0)) return false;
    this.rows.push(row);
    return true;
  }

  get next(): { readonly next?: string } {
    return this.#position === undefined ? {} : { next: String(this.#position) };
  }
}
