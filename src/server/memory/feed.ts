/**
 * Rows in the order of their positions.
 *
 * A list of short sorted arrays: removing a row from the middle moves a few hundred entries and never all of them, so a
 * product that is sold a million times costs the same at every sale (L12). New positions are nearly always appended.
 */

const CHUNK_ROWS = 256;

interface Entry<Row> {
  readonly position: number;
  /** Orders rows with the same position, so every row has exactly one place. */
  readonly key: string;
  readonly row: Row;
}

export interface FeedRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
}

export class Feed<Row> {
  /** No chunk is empty, and all entries of a chunk lie before those of the next one. */
  readonly #chunks: Entry<Row>[][] = [];

  get empty(): boolean {
    return this.#chunks.length === 0;
  }

  add(position: number, key: string, row: Row): void {
    const entry = { position, key, row };
    const at = this.#chunkOf(position, key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([entry]);
      return;
    }
    const index = indexIn(chunk, position, key);
    if (chunk.length < CHUNK_ROWS) {
      chunk.splice(index, 0, entry);
    } else if (index === chunk.length && at === this.#chunks.length - 1) {
      this.#chunks.push([entry]); // appended: the full chunk is not split
    } else {
      const upper = chunk.splice(CHUNK_ROWS / 2);
      this.#chunks.splice(at + 1, 0, upper);
      const half = index <= chunk.length ? chunk : upper;
      half.splice(indexIn(half, position, key), 0, entry);
    }
  }

  remove(position: number, key: string): void {
    const at = this.#chunkOf(position, key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = indexIn(chunk, position, key);
    const entry = chunk[index];
    if (entry === undefined || entry.position !== position || entry.key !== key) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Up to `limit` rows of the range for which `accept` holds, ascending. */
  page({ after, upTo }: FeedRange, limit: number, accept?: (row: Row) => boolean): Row[] {
    const rows: Row[] = [];
    for (let at = this.#chunkAfter(after); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Entry<Row>[];
      for (let index = firstAfter(chunk, after); index < chunk.length; index++) {
        const entry = chunk[index] as Entry<Row>;
        if (entry.position > upTo || rows.length >= limit) return rows;
        if (accept === undefined || accept(entry.row)) rows.push(entry.row);
      }
    }
    return rows;
  }

  /** How many rows the range has. It does not visit each row. */
  count({ after, upTo }: FeedRange): number {
    let count = 0;
    for (let at = this.#chunkAfter(after); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Entry<Row>[];
      const end = firstAfter(chunk, upTo);
      count += Math.max(0, end - firstAfter(chunk, after));
      if (end < chunk.length) break;
    }
    return count;
  }

  /** The index of the chunk that contains the entry, or would: the last chunk that does not begin after it. */
  #chunkOf(position: number, key: string): number {
    const found = lowerBound(this.#chunks.length, (at) =>
      isBefore((this.#chunks[at] as Entry<Row>[])[0], position, key, true),
    );
    return Math.max(0, found - 1);
  }

  /** The index of the first chunk with an entry after the position. */
  #chunkAfter(position: number): number {
    return lowerBound(
      this.#chunks.length,
      (at) => ((this.#chunks[at] as Entry<Row>[]).at(-1)?.position ?? 0) <= position,
    );
  }
}

function indexIn<Row>(chunk: readonly Entry<Row>[], position: number, key: string): number {
  const last = chunk[chunk.length - 1];
  if (last !== undefined && isBefore(last, position, key, false)) return chunk.length; // the usual case: the newest position
  return lowerBound(chunk.length, (index) => isBefore(chunk[index], position, key, false));
}

function firstAfter<Row>(chunk: readonly Entry<Row>[], position: number): number {
  return lowerBound(chunk.length, (index) => (chunk[index]?.position ?? 0) <= position);
}

function isBefore<Row>(entry: Entry<Row> | undefined, position: number, key: string, orAt: boolean): boolean {
  if (entry === undefined) return false;
  if (entry.position !== position) return entry.position < position;
  return orAt ? entry.key <= key : entry.key < key;
}

/** The first of `length` indexes for which `isBelow` is false; it is true for everything before that one. */
function lowerBound(length: number, isBelow: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
