/** The tables of a working set: rows that the store returned, and above them the rows that the decision has written. */
import type { StoreRead, StoreReadKind, StoreReads } from "../../ports/store.ts";

export type Undo = () => void;

/** The rows that a decision has written to one table. Each write can be undone. */
export class Written<Row> {
  readonly #undo: Undo[];
  readonly #written = new Map<string, Row>();

  constructor(undo: Undo[]) {
    this.#undo = undo;
  }

  written(key: string): Row | undefined {
    return this.#written.get(key);
  }

  allWritten(): Iterable<Row> {
    return this.#written.values();
  }

  put(key: string, row: Row): void {
    this.#remember(key);
    this.#written.set(key, row);
  }

  /** Forgets what was written under the key. */
  drop(key: string): void {
    if (!this.#written.has(key)) return;
    this.#remember(key);
    this.#written.delete(key);
  }

  #remember(key: string): void {
    const before = this.#written.get(key);
    this.#undo.push(() => {
      if (before === undefined) this.#written.delete(key);
      else this.#written.set(key, before);
    });
  }
}

/** A read that a decision lacks, and what to do with its answer. */
export interface MissingRead {
  readonly request: StoreRead;
  /** Which round of reads it belongs to, from 0: a table's rows are read by {@link KEYS_PER_ROUND}. */
  readonly round: number;
  readonly take: (answer: unknown) => void;
}

/** Rows of one table that a round of reads may bring: each may be of 250 KB, and what they weigh is known afterwards (L12). */
const KEYS_PER_ROUND = 64;

/** A request to the store, with the rows that its answer holds. */
interface KindRead<Row> {
  readonly request: StoreRead;
  /** @default 0 */
  readonly round?: number | undefined;
  readonly rowsIn: (answer: unknown) => Iterable<readonly [key: string, row: Row]>;
}

/** How the rows of one kind are read: the requests for the keys that are wanted. */
export type Kind<Row, Key> = (wanted: ReadonlyMap<string, Key>) => readonly KindRead<Row>[];

/** A table that is also read: a key that was looked for and is not here is noted, and reads as absent meanwhile. */
export class Overlay<Row, Key> extends Written<Row> {
  readonly #kind: Kind<Row, Key>;
  readonly #known = new Map<string, Row | undefined>();
  readonly #wanted = new Map<string, Key>();

  constructor(undo: Undo[], kind: Kind<Row, Key>) {
    super(undo);
    this.#kind = kind;
  }

  /** @param asked how the key is named in a request to the store */
  get(key: string, asked: Key): Row | undefined {
    const row = this.written(key);
    if (row !== undefined) return row;
    if (!this.#known.has(key)) this.#wanted.set(key, asked);
    return this.#known.get(key);
  }

  /** The row as far as it is here, which asks for nothing. */
  known(key: string): Row | undefined {
    return this.written(key) ?? this.#known.get(key);
  }

  knows(key: string): boolean {
    return this.written(key) !== undefined || this.#known.has(key);
  }

  get lacksRows(): boolean {
    return this.#wanted.size > 0;
  }

  /** The reads for everything that is wanted. A key that their answers do not hold does not exist. */
  missingReads(): readonly MissingRead[] {
    if (this.#wanted.size === 0) return [];
    const reads = this.#kind(this.#wanted);
    for (const key of this.#wanted.keys()) this.#known.set(key, undefined);
    this.#wanted.clear();
    return reads.map(({ request, rowsIn, round = 0 }) => ({
      request,
      round,
      take: (answer) => {
        for (const [key, row] of rowsIn(answer)) this.#known.set(key, row);
      },
    }));
  }
}

type RowOf<K extends StoreReadKind> = Extract<StoreReads[K]["answer"], readonly unknown[]>[number];
type RequestOf<K extends StoreReadKind> = StoreReads[K]["request"] & { readonly kind: K };

/** One request for as many keys as a round reads; its answer is a list of rows. */
export function keyed<K extends StoreReadKind, Key>(
  requestFor: (keys: readonly Key[]) => RequestOf<K>,
  keyOf: (row: RowOf<K>) => string,
): Kind<RowOf<K>, Key> {
  return (wanted) => {
    const keys = [...wanted.values()];
    return Array.from({ length: Math.ceil(keys.length / KEYS_PER_ROUND) }, (_, round) => ({
      request: requestFor(keys.slice(round * KEYS_PER_ROUND, (round + 1) * KEYS_PER_ROUND)),
      round,
      rowsIn: (answer) => (answer as readonly RowOf<K>[]).map((row) => [keyOf(row), row]),
    }));
  };
}

/**
 * One request for each key; its whole answer is what is kept under the key.
 *
 * @param perRound how many of them a round reads
 */
export function whole<K extends StoreReadKind>(
  perRound = Number.POSITIVE_INFINITY,
): Kind<StoreReads[K]["answer"], RequestOf<K>> {
  return (wanted) =>
    [...wanted].map(([key, request], index) => ({
      request,
      round: Math.floor(index / perRound),
      rowsIn: (answer) => [[key, answer as StoreReads[K]["answer"]]],
    }));
}
