/** What the engines do differently from fake-indexeddb and from each other, as it was seen in them: their disks, and their deaths. */
import { IDBFactory, IDBObjectStore, IDBRequest } from "fake-indexeddb";
import { vi } from "vitest";

/**
 * - `chromium`: what is deleted is free at once, and the transaction has the reason of its end.
 * - `firefox`: a file never shrinks, but its free pages are used again. The transaction says "AbortError".
 * - `webkit`: a file never shrinks, and whatever is written counts as if it grew by that. The transaction has no reason at all: only the
 *   request has, and the `error` event that bubbles from it.
 */
export type Engine = "chromium" | "firefox" | "webkit";

interface File {
  readonly rows: Map<string, number>;
  /** What it takes of the disk. */
  size: number;
}

/** fake-indexeddb's own, of which these tests need a little. */
interface Internals {
  readonly _requests: { operation: () => unknown }[];
  readonly error: DOMException | null;
}

/** A disk with a limit, for all databases of all factories: the methods of fake-indexeddb are replaced until the test ends. */
export class Disk {
  readonly #engine: Engine;
  readonly #files = new Map<string, File>();
  capacity: number;

  constructor(engine: Engine, capacity: number) {
    this.#engine = engine;
    this.capacity = capacity;
    const disk = this;
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value, key) {
      const { transaction, name } = this;
      const request = put.call(this, value, key);
      disk.#atItsTurn(transaction, () => disk.#write(transaction, `${name}/${String(key)}`, sizeOf(value)));
      return request;
    });
    const remove = IDBObjectStore.prototype.delete;
    vi.spyOn(IDBObjectStore.prototype, "delete").mockImplementation(function (this: IDBObjectStore, key) {
      const { transaction, name } = this;
      const request = remove.call(this, key);
      disk.#atItsTurn(transaction, () => disk.#set(transaction, `${name}/${String(key)}`, 0));
      return request;
    });
    const deleteDatabase = IDBFactory.prototype.deleteDatabase;
    vi.spyOn(IDBFactory.prototype, "deleteDatabase").mockImplementation(function (this: IDBFactory, name) {
      const request = deleteDatabase.call(this, name);
      request.addEventListener("success", () => disk.#files.delete(name));
      return request;
    });
  }

  /** Bytes that are still free. */
  get free(): number {
    return this.capacity - [...this.#files.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Other data of the site takes whatever is free, but for so many bytes. */
  fill(but = 0): void {
    this.capacity -= this.free - but;
  }

  sizeOf(database: string): number {
    return this.#files.get(database)?.size ?? 0;
  }

  #atItsTurn(transaction: IDBTransaction, work: () => void): void {
    const turn = (transaction as unknown as Internals)._requests.at(-1);
    if (turn === undefined) throw new Error("Expected a request");
    const { operation } = turn;
    turn.operation = () => {
      work();
      return operation();
    };
  }

  #write(transaction: IDBTransaction, row: string, bytes: number): void {
    const file = this.#fileOf(transaction.db.name);
    const unused = file.size - [...file.rows.values()].reduce((sum, size) => sum + size, 0);
    const wanted = { chromium: bytes - (file.rows.get(row) ?? 0), firefox: bytes - unused, webkit: bytes }[
      this.#engine
    ];
    if (wanted > this.free) {
      if (this.#engine !== "chromium") this.#hideReason(transaction);
      throw new DOMException("No more space", "QuotaExceededError");
    }
    this.#set(transaction, row, bytes);
  }

  #set(transaction: IDBTransaction, row: string, bytes: number): void {
    const file = this.#fileOf(transaction.db.name);
    const before = file.rows.get(row) ?? 0;
    this.#resize(file, row, bytes);
    transaction.addEventListener("abort", () => this.#resize(file, row, before));
  }

  #resize(file: File, row: string, bytes: number): void {
    file.rows.set(row, bytes);
    const used = [...file.rows.values()].reduce((sum, size) => sum + size, 0);
    file.size = this.#engine === "chromium" ? used : Math.max(file.size, used);
  }

  #hideReason(transaction: IDBTransaction): void {
    const reason = this.#engine === "webkit" ? null : new DOMException("It was aborted", "AbortError");
    Object.defineProperty(transaction, "error", { get: () => reason, set: () => {} });
  }

  #fileOf(name: string): File {
    const file = this.#files.get(name) ?? { rows: new Map(), size: 0 };
    this.#files.set(name, file);
    return file;
  }
}

function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}

/** An error of a frame: it looks like one of the page, and is no instance of anything that the page knows. */
export function foreignError(message: string, name: string): object {
  class Foreign {
    readonly name = name;
    readonly message = message;
    get [Symbol.toStringTag]() {
      return "DOMException";
    }
    toString() {
      return `${name}: ${message}`;
    }
  }
  return new Foreign();
}

/**
 * The process of WebKit that has the databases. When it dies, no document that had a connection to it ever gets another one, nor do its
 * workers; a document that is made afterwards does.
 */
export class DatabaseProcess {
  readonly #disk = new IDBFactory();
  #generation = 0;
  #connections: IDBDatabase[] = [];

  /** A document's own factory. */
  document(): IDBFactory {
    const generation = this.#generation;
    const open = (name: string, version?: number) => {
      if (generation === this.#generation) return this.#watch(this.#disk.open(name, version));
      const request = { error: this.#lost(), addEventListener() {} } as unknown as IDBOpenDBRequest;
      setTimeout(() => request.onerror?.({ preventDefault() {} } as Event));
      return request;
    };
    const deleteDatabase = (name: string) => {
      if (generation !== this.#generation) throw this.#lost();
      return this.#disk.deleteDatabase(name);
    };
    return { open, deleteDatabase } as unknown as IDBFactory;
  }

  /** What each open connection does is lost, and it is told that it is closed. */
  die(): void {
    this.#generation += 1;
    for (const connection of this.#connections.splice(0)) {
      connection.close();
      connection.onclose?.(new Event("close"));
    }
  }

  #watch(request: IDBOpenDBRequest): IDBOpenDBRequest {
    request.addEventListener("success", () => this.#connections.push(request.result));
    return request;
  }

  #lost(): DOMException {
    const lost = "Connection to Indexed Database server lost. Refresh the page to try again";
    return foreignError(lost, "UnknownError") as DOMException;
  }
}

/** A page, as far as the adapter uses one. */
export class FakeDocument {
  readonly frames: { hidden: boolean; isAttached: boolean; contentWindow: object; remove(): void }[] = [];
  readonly documentElement = {
    append: (frame: (typeof this.frames)[number]) => {
      frame.isAttached = true;
      this.frames.push(frame);
      frame.contentWindow = { indexedDB: this.#process.document(), IDBRequest: class extends EventTarget {} };
    },
  };
  readonly #process: DatabaseProcess;

  constructor(databases: DatabaseProcess) {
    this.#process = databases;
  }

  createElement(): (typeof this.frames)[number] {
    return {
      hidden: false,
      isAttached: false,
      contentWindow: {},
      remove() {
        this.isAttached = false;
      },
    };
  }
}

export const isOurs = (theirs: { prototype: object }) => theirs.prototype instanceof IDBRequest;
