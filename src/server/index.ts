/**
 * `tillsync/server`: the server half. Mount `createSyncHandler` in any app that speaks fetch.
 *
 * @module tillsync/server
 */
export { announceRestore } from "./admin/announce-restore.ts";
export { importRows } from "./admin/import-rows.ts";
export { openStore } from "./admin/open-store.ts";
export { readRows } from "./admin/read-rows.ts";
export { revokeDevice } from "./admin/revoke-device.ts";
export { type Live, type LiveAdmission, type LiveSocket, requestWithLiveToken } from "./http/live.ts";
export type { SyncHandlerOptions } from "./options.ts";
export type {
  Applied,
  BasePolicy,
  DecisionInput,
  Effect,
  FactPolicy,
  Policies,
  PolicyFor,
  PolicyOperation,
  Principal,
  Quarantined,
  RecordPolicy,
  Rejected,
} from "./policy-types.ts";
export type { PokeHint, PokeRelay } from "./ports/poke-relay.ts";
export type {
  CommitRow,
  ConflictRow,
  DepartureRow,
  DeviceRow,
  DiscrepancyRow,
  EpochRow,
  FeedRow,
  IncarnationRow,
  OmittedRow,
  OperationRow,
  RecordKey,
  RecordRow,
  ResultRow,
  StoredResult,
  TenantClock,
} from "./ports/rows.ts";
export type {
  FeedEntry,
  FeedPage,
  ScopeFilter,
  ServerStore,
  StoreRead,
  StoreReadKind,
  StoreReadScript,
  StoreReads,
  StoreScript,
  StoreWrites,
} from "./ports/store.ts";
export { createSyncHandler, createSyncServer, type SyncServer } from "./server.ts";
