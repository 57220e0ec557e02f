/**
 * `tillsync/server/postgres`: the server store for many processes, and pokes between them.
 *
 * @module tillsync/server/postgres
 */
export { type PostgresPokesOptions, postgresPokes } from "./postgres-pokes.ts";
export { type PostgresStoreOptions, postgresStore } from "./postgres-store.ts";
