/** The base of a row after an operation of this till was applied to it. Pure. */
import type { AppliedResult } from "../../protocol/types.ts";
import { applyPatch, pick } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import { editNow } from "./edit-now.ts";
import { addDelta } from "./replay.ts";

/** The base of a row before a result. */
interface BaseBefore {
  readonly version: number;
  readonly data: JsonObject | null;
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
 * The base as the operation left it; `undefined` if the result does not tell: the next pull will.
 *
 * @param isAhead the result's row can't be taken: it may contain the effects of results that have not arrived, or it
 *   lacks what is in the base already [C6]
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
  if (data && from <= schemaVersion && !isAhead) return { version, data, schemaVersion: from };
  // If the result leaves out the row, the row's version just before was the operation's `baseVersion`, so its effect on
  // the base is known [C4]. That does not hold for an operation that re-entered after a restore, over a base of the
  // lost history.
  if (operation.acknowledged && operation.kind !== "fact") return undefined;
  const own = ownEffect(definition, operation, from === schemaVersion ? result.assigned : undefined, before.data);
  if (own === undefined) return undefined;
  // The row can't be taken, because the app can't read it [H7], because of the till's other results [C6], or because the
  // answer had no room for it. Until the row
  // comes again, it is what it was here, with this operation. It keeps its version, because what others have
  // written since is not in it.
  if (operation.action === "create" || operation.action === "delete")
    return { version, data: own, schemaVersion, guessed: hasRow };
  if (hasRow) return own && version > before.version ? { data: own } : undefined;
  // During a resync the base may be older, because an earlier result of this till has replaced it.
  const isBase = operation.action === "update" && before.version === operation.baseVersion;
  return isBase ? { version, data: own, schemaVersion } : undefined;
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
