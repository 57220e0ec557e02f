/**
 * Whether an operation may wait on a desk though nobody has judged it (L9). People release what they find there, with
 * their own rights: what its sender might not do must not get there, or somebody is talked into doing it.
 */
import type { RejectedResult } from "../../../protocol/types.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { boundTo, isSetAside } from "./bound.ts";
import { knownTo } from "./known-to.ts";
import type { PreparedOperation } from "./prepared-operation.ts";
import { voidRefusal, withoutRight } from "./rights.ts";
import { targetsOf } from "./supersede.ts";

/** The refusal. What the server can't read, nobody can release either. */
export function setAsideRefusal(
  ws: WorkingSet,
  view: Viewpoint,
  { parsed }: PreparedOperation,
): RejectedResult | undefined {
  // Its token may have no rights left: people look at its work one by one [H6].
  if (!parsed.ok || view.revoked === true) return undefined;
  const operation = parsed.value;
  const served = view.catalog.collections.get(operation.collection);
  if (served === undefined) return undefined;
  if (operation.action !== "void") return withoutRight(view, served, operation);
  return voidRefusal(view, served, operation, givenUpBy(ws, view, operation));
}

/** What a void gives up: its targets, and all that is bound to them in quarantine [C1]. */
export function givenUpBy(ws: WorkingSet, view: Viewpoint, operation: Parameters<typeof targetsOf>[2]) {
  const targets = targetsOf(ws, view, operation).flatMap((id) => knownTo(ws, view, id) ?? []);
  return [...new Set([...targets, ...boundTo(ws, targets.filter(isSetAside))])];
}
