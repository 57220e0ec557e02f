/**
 * Definitions of collections, shared by client and server. Imports no validator, and runs anywhere.
 *
 * @module tillsync/schema
 */
export type { CheckReferences } from "./checks.ts";
export type { CollectionOptions } from "./define-collection.ts";
export { defineCollection } from "./define-collection.ts";
export type { SchemaIssue, SchemaResult, StandardSchemaV1 } from "./standard-schema.ts";
export type {
  CollectionDefinition,
  CollectionMap,
  CollectionShape,
  ConflictContext,
  ConflictResolver,
  CounterBounds,
  CreateInput,
  CreateInputOf,
  IdOf,
  Increments,
  Patch,
  PatchOf,
  RecordOf,
  UpcastFunction,
  UpcastFunctions,
} from "./types.ts";
