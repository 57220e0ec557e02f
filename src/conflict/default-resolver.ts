/** The resolver of a collection. */
import type { ResolvedCollection } from "../schema/resolved.ts";
import { mergeFields } from "./merge-fields.ts";
import type { AnyResolver } from "./strategies.ts";

/**
 * The collection's own resolver, or `mergeFields({}, "server")`. With the latter an app without a conflict screen
 * converges, too (L5), and the edit that lost is kept on the desk (L1).
 */
export function resolverOf(resolved: ResolvedCollection): AnyResolver {
  return resolved.conflict ?? mergeFields({}, "server");
}
