/** The base of a row after an operation of this till was applied to it. Pure. */
import type { AppliedResult } from "../../protocol/types.ts";
import { applyPatch, pick } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import type { JsonObject } from "../../shared/json.ts";
import { isOpen, type StoredOperation } from "../state/operation.ts";
import { editNow } from "./edit-now.ts";
import { addDelta } from "./replay.ts";

/** The base of a row before a result. */
interface BaseBefore {
  readonly version: number;
  readonly data: JsonObject | null;
  /** Up to which version it has own operations in it without the row of their results; 0: it has none. */
  readonly amendedTo: number;
}

/** The next base of a row. `version` is absent if the base keeps the one that it has. */
type NextBase =
  | { readonly data: JsonObject; readonly version?: undefined }
  | {
      readonly data: JsonObject | null;
      readonly version: number;
      readonly schemaVersion: number;
      readonly guessed?: boolean;
    };

/**
 * The base as the operation left it; `undefined` if the base has the operation in it, or if the result does not tell:
 * the next pull will. An operation that was in the view stays in it: what the result's row does not bring, the till
 * writes into the base itself (L8).
 *
 * @param operation as it was before the result
 * @param isAhead the result's row may contain the effects of results that have not arrived: it can't be taken [C6]
 */
export function baseAfter(
  definition: ResolvedCollection,
  operation: StoredOperation,
  result: AppliedResult,
  before: BaseBefore,
  isAhead: boolean,
): NextBase | undefined {
  const { schemaVersion } = definition;
  const { version, data, omitted = false, schemaVersion: from = operation.schemaVersion } = result;
  const hasRow = data !== undefined || omitted;
  if (result.deleted) return { version, data: null, schemaVersion };
  // The row lacks what is in the base already [C6].
  const isBehind = version < before.amendedTo;
  if (data && from <= schemaVersion && !isAhead && !isBehind) return { version, data, schemaVersion: from };
  // An operation that re-entered after a restore, over a base of the lost history, may be in that base [C8.6].
  if (operation.acknowledged && operation.kind !== "fact") return undefined;
  // It was not in the view, and edits that are in the base may come after it.
  if (isBehind && operation.action === "update" && !isOpen(operation)) return undefined;
  const own = ownEffect(definition, operation, from === schemaVersion ? result.assigned : undefined, before.data);
  if (own === undefined) return undefined;
  if ((operation.action === "create" && !isBehind) || operation.action === "delete")
    return { version, data: own, schemaVersion, guessed: hasRow };
  // If the result leaves out the row, and the row's version just before was the operation's `baseVersion`, its effect on
  // the base is all that has changed [C4].
  const isBase = operation.action === "update" && before.version === operation.baseVersion;
  if (isBase && !hasRow && !isBehind) return { version, data: own, schemaVersion };
  // The row is not there, or can't be taken: the app can't read it [H7], the till lacks other results of its own [C6], or
  // the answer had no room for it. Until the row comes again, it is what it was here, with this operation. It keeps its
  // version, because what others have written since is not in it.
  return own && version > before.version ? { data: own } : undefined;
}

/** The base with what this till did to it; `undefined` if that can't be told. */
function ownEffect(
  definition: ResolvedCollection,
  operation: StoredOperation,
  assigned: JsonObject | undefined,
  base: JsonObject | null,
): JsonObject | null | undefined {
  const edit = editNow(definition, operation, base);
  if (edit === undefined) return undefined;
  switch (edit.action) {
    case "create":
      return { ...edit.data, ...edit.zeros, ...pick(base, definition.counters), ...assigned };
    case "update":
      return base ? { ...applyPatch(base, edit.patch ?? {}, edit.unset), ...assigned } : undefined;
    case "increment":
      return base ? { ...base, ...addDelta(base, edit.by ?? {}) } : undefined;
    case "delete":
      return null;
    default:
      return undefined;
  }
}
