/** What a poke may say to a token (L9). */
import type { Poke } from "../../protocol/types.ts";
import { type Catalog, mayDo } from "../decide/rows/catalog.ts";
import { inScope } from "../decide/rows/scope.ts";
import type { Principal } from "../policy-types.ts";

export type { Touched } from "../decide/rows/scope.ts";

/** Something has changed in this scope. `collection` is absent: any of them may have changed. */
export interface Hint {
  readonly collection?: string;
  readonly scope: string | undefined;
}

/** The collections in which the token may see the change; `undefined`: in none of them. */
export function visiblePoke(catalog: Catalog, principal: Principal, hints: readonly Hint[]): Poke | undefined {
  const inSight = hints.filter(({ collection, scope }) => {
    if (scope !== undefined && !inScope(principal, scope)) return false;
    const served = collection === undefined ? undefined : catalog.collections.get(collection);
    return collection === undefined || (served !== undefined && mayDo(served, "read", principal));
  });
  if (inSight.length === 0) return undefined;
  return { collections: [...new Set(inSight.flatMap(({ collection }) => collection ?? []))] };
}
