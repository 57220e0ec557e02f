/**
 * Resolvers: what to do if two devices changed the same field. Clients and server policies use the same ones.
 *
 * @module tillsync/conflict
 */
export type { ConflictContext, ConflictResolver } from "../schema/types.ts";
export { mergeFields } from "./merge-fields.ts";
export { clientWins, lastWriteWins, manual, serverWins } from "./strategies.ts";
