/** Where a till keeps what it knows. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { indexedDB } from "tillsync/storage/indexeddb";
import { memory } from "tillsync/storage/memory";
import type { StorageAdapter } from "../../src/client/ports/storage.ts";
import { readDatabase, type Tables } from "./till-books.ts";

export interface TillDisk {
  readonly storage: StorageAdapter;
  read(): Promise<Tables>;
}

export function memoryDisk(name: string): TillDisk {
  const storage = memory();
  return { storage, read: async () => storage.snapshot(name).tables };
}

export function indexedDBDisk(name: string): TillDisk {
  const factory = new IDBFactory();
  return { storage: indexedDB({ factory, persist: false, reserveBytes: 0 }), read: () => readDatabase(factory, name) };
}
