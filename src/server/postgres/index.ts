/** `tillsync/server/postgres`: the server store for many processes. */
export { type PostgresStoreOptions, postgresStore } from "./postgres-store.ts";
