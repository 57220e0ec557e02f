/** `tillsync/conflict`: what to do where two devices changed the same field. The same resolvers serve till and server. */
export type { ConflictContext, ConflictResolver } from "../schema/types.ts";
export { mergeFields } from "./merge-fields.ts";
export { clientWins, lastWriteWins, manual, serverWins } from "./strategies.ts";
