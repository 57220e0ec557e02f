/// <reference lib="esnext.disposable" />
/**
 * The client, with its default wiring. Offline-first sync for points of sale.
 *
 * The composition root: it only chooses IndexedDB as the default store; everything is defined in the modules that it
 * lists.
 *
 * @module tillsync
 */
import { createClient } from "./client/client.ts";
import type { SyncClient, SyncClientOptions } from "./client/types/client.ts";
import type { CollectionMap } from "./schema/types.ts";
import { indexedDB } from "./storage/indexeddb/indexeddb.ts";

/**
 * Creates a client for one local store. It checks its options and returns. It touches no disk, network or global until
 * `start()` or the first read or write, so you can call it at the top of a module, even without a browser (SSR).
 *
 * @throws TillSyncError `invalid_option`
 * @example
 * import { createSyncClient, http } from "tillsync";
 * import { collections } from "./shop.js";
 *
 * export const till = createSyncClient({
 *   name: "nairobi-westlands",
 *   transport: http({ url: "https://shop.example/sync", getToken: () => session.accessToken }),
 *   collections,
 *   actor: () => session.cashierId,
 * });
 * await till.start();
 * await till.firstSync();
 */
export function createSyncClient<const C extends CollectionMap>(options: SyncClientOptions<C>): SyncClient<C> {
  return createClient(options?.storage === undefined ? { ...options, storage: indexedDB() } : options);
}

export type { Connectivity, ConnectivityHint } from "./client/ports/connectivity.ts";
export type { Coordinator, CoordinatorMessage, Lease } from "./client/ports/coordinator.ts";
export type {
  IndexLayout,
  Key,
  KeyRange,
  ScannedRow,
  ScanOptions,
  StorageAdapter,
  StorageConnection,
  StorageEstimate,
  StorageHooks,
  StorageLayout,
  StorageMarker,
  StorageRead,
  StorageScript,
  StorageWrite,
  TableLayout,
  TransactOptions,
} from "./client/ports/storage.ts";
export type {
  LiveListener,
  Timing,
  Transport,
  TransportCall,
  TransportFailure,
  TransportResult,
} from "./client/ports/transport.ts";
export type { Diagnostics, SyncClient, SyncClientOptions, SyncOptions } from "./client/types/client.ts";
export type {
  CollectionFor,
  Collections,
  CountedCollection,
  FactCollection,
  LiveQuery,
  Query,
  QuerySnapshot,
  ReadableCollection,
  ReadOptions,
  RecordCollection,
  TransactionCollectionFor,
  TransactionCollections,
  TransactionContext,
  TransactionCounted,
  TransactionFacts,
  TransactionOptions,
  TransactionRecords,
  WriteOptions,
} from "./client/types/collections.ts";
export type {
  Change,
  Conflict,
  ConflictDesk,
  ConflictOf,
  FieldDifference,
  Operation,
  OperationDesk,
  OperationFilter,
  OperationOf,
  OperationStatus,
} from "./client/types/desks.ts";
export type { SyncEvents } from "./client/types/events.ts";
export type { RecordMeta, RecordSync, Settlement, Verdict } from "./client/types/record.ts";
export type { Live, Unsubscribe } from "./client/types/shape.ts";
export type {
  DeviceIdentity,
  StatusFacts,
  SyncOutcome,
  SyncPhase,
  SyncStatus,
  WaitingCause,
} from "./client/types/status.ts";
export type { Flag } from "./protocol/types.ts";
export type { CheckReferences } from "./schema/checks.ts";
export type { CollectionOptions } from "./schema/define-collection.ts";
export { defineCollection } from "./schema/define-collection.ts";
export type { SchemaIssue, SchemaResult, StandardSchemaV1 } from "./schema/standard-schema.ts";
export type {
  CollectionDefinition,
  CollectionMap,
  CollectionShape,
  ConflictContext,
  ConflictResolver,
  CreateInput,
  CreateInputOf,
  IdOf,
  Increments,
  Patch,
  PatchOf,
  RecordOf,
} from "./schema/types.ts";
export type { Clock } from "./shared/clock.ts";
export type { AnyTillSyncError, ErrorCode, ErrorDetails } from "./shared/errors.ts";
export { isTillSyncError, TillSyncError } from "./shared/errors.ts";
export type { Logger } from "./shared/logger.ts";
export type { Random } from "./shared/random.ts";
export { http } from "./transport/http/http.ts";
export type { HttpOptions, TokenRequest } from "./transport/http/options.ts";
