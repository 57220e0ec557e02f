/**
 * Entries in the order of (key, primary), in chunks.
 *
 * With one array, an insert would move everything after it; with a tree, each entry would cost an object and a pointer
 * chase. A list of short arrays costs a binary search over the chunks, one within a chunk, and a move of at most CHUNK
 * neighbours.
 */
import type { Key } from "../../client/ports/storage.ts";
import { compareKeys } from "../../shared/keys.ts";

export interface Entry {
  readonly key: Key;
  readonly primary: string;
}

/** A chunk that reaches this length is split in two. */
const CHUNK = 256;

export class SortedEntries<E extends Entry> {
  /** No chunk is empty. */
  #chunks: E[][] = [];

  /** Replaces all entries. It sorts them once, instead of searching a place for each. */
  load(entries: E[]): void {
    entries.sort(compareEntries);
    this.#chunks = [];
    for (let start = 0; start < entries.length; start += CHUNK / 2) {
      this.#chunks.push(entries.slice(start, start + CHUNK / 2));
    }
  }

  insert(entry: E): void {
    let [at, offset] = this.#seek((other) => compareEntries(other, entry) < 0);
    // After all others: the last chunk grows. Rows mostly arrive in the order of their ids.
    if (at === this.#chunks.length && at > 0) offset = this.#chunks[--at]?.length ?? 0;
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([entry]);
      return;
    }
    chunk.splice(offset, 0, entry);
    if (chunk.length >= CHUNK) this.#chunks.splice(at, 1, chunk.slice(0, CHUNK / 2), chunk.slice(CHUNK / 2));
  }

  delete(entry: Entry): void {
    const [at, offset] = this.#seek((other) => compareEntries(other, entry) < 0);
    const chunk = this.#chunks[at];
    const found = chunk?.[offset];
    if (chunk === undefined || found === undefined || compareEntries(found, entry) !== 0) return;
    if (chunk.length === 1) this.#chunks.splice(at, 1);
    else chunk.splice(offset, 1);
  }

  /** Up to `limit` entries, from the first for which `isBefore` is false, until one for which `isWithin` is false. */
  ascending(isBefore: (entry: E) => boolean, isWithin: (entry: E) => boolean, limit: number): E[] {
    const result: E[] = [];
    let [at, offset] = this.#seek(isBefore);
    for (let chunk = this.#chunks[at]; chunk !== undefined; chunk = this.#chunks[++at]) {
      for (; offset < chunk.length; offset++) {
        const entry = chunk[offset] as E;
        if (result.length >= limit || !isWithin(entry)) return result;
        result.push(entry);
      }
      offset = 0;
    }
    return result;
  }

  /**
   * Up to `limit` entries, backwards from the last for which `isBeforeEnd` is true, until one for which `isWithin` is
   * false.
   */
  descending(isBeforeEnd: (entry: E) => boolean, isWithin: (entry: E) => boolean, limit: number): E[] {
    const result: E[] = [];
    let [at, offset] = this.#seek(isBeforeEnd);
    for (; at >= 0; offset = this.#chunks[--at]?.length ?? 0) {
      const chunk = this.#chunks[at] ?? [];
      while (--offset >= 0) {
        const entry = chunk[offset] as E;
        if (result.length >= limit || !isWithin(entry)) return result;
        result.push(entry);
      }
    }
    return result;
  }

  /**
   * How many entries there are from the first for which `isBefore` is false to the last for which `isBeforeEnd` is
   * true.
   */
  count(isBefore: (entry: E) => boolean, isBeforeEnd: (entry: E) => boolean): number {
    return Math.max(0, this.#rank(isBeforeEnd) - this.#rank(isBefore));
  }

  #rank(isBefore: (entry: E) => boolean): number {
    const [at, offset] = this.#seek(isBefore);
    let rank = offset;
    for (let index = 0; index < at; index++) rank += this.#chunks[index]?.length ?? 0;
    return rank;
  }

  /** Chunk and offset of the first entry for which `isBefore` is false; after the last chunk if there is none. */
  #seek(isBefore: (entry: E) => boolean): [chunk: number, offset: number] {
    const at = partition(this.#chunks, (chunk) => isBefore(chunk[chunk.length - 1] as E));
    const chunk = this.#chunks[at];
    return [at, chunk === undefined ? 0 : partition(chunk, isBefore)];
  }
}

/** The index of the first item for which `isBefore` is false. It must be true for all items before it. */
function partition<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function compareEntries(a: Entry, b: Entry): number {
  return compareKeys(a.key, b.key) || (a.primary < b.primary ? -1 : a.primary > b.primary ? 1 : 0);
}
