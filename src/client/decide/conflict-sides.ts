/** The three sides of a conflict, in the schema version that the app has [H7]. Pure. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import { applyPatch } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { absentBefore } from "../../schema/upcast.ts";
import { isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import { omit } from "../../shared/omit.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { raised, versionLabel, versionOf } from "../state/versions.ts";
import { raisedEdit } from "./edit-now.ts";
import type { Target } from "./mint.ts";
import type { Workspace } from "./workspace.ts";

/** `client` is the server's record with only this edit on it, without later edits. `undefined`: that side has no record. */
export interface Sides {
  readonly base: JsonObject | undefined;
  readonly client: JsonObject | undefined;
  readonly server: JsonObject | undefined;
}

/** `unknown`: the error that says why the sides are not known, so that only the server's side can be kept. */
export type KnownSides = Sides & { readonly unknown?: TillSyncError };

/** The sides on the server's row as the till has it now. */
export function sidesOf(workspace: Workspace, operation: StoredOperation): KnownSides {
  const { collection, entityId } = operation;
  const server = workspace.baseOf(collection, entityId) ?? undefined;
  if (!workspace.canRead(collection, entityId)) return unknownSides(server, newerSchema(operation));
  const lastServer = server ?? workspace.row(collection, entityId)?.deletedBase;
  return sidesOn(workspace.definition(collection), operation, server, lastServer);
}

/** @param lastServer the server's row; if it has deleted it, the last one that is known */
function sidesOn(
  definition: ResolvedCollection,
  operation: StoredOperation,
  server: JsonObject | undefined,
  lastServer: JsonObject | undefined,
): KnownSides {
  if (operation.schemaVersion > definition.schemaVersion) return unknownSides(server, newerSchema(operation));
  let edit: StoredOperation;
  try {
    edit = raisedEdit(definition, operation, lastServer ?? null);
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    return unknownSides(server, error);
  }
  if (edit.action === "create") return { base: undefined, client: { ...edit.data, ...edit.zeros }, server };
  if (lastServer === undefined)
    return edit.action === "delete"
      ? { base: undefined, client: undefined, server }
      : unknownSides(server, gone(operation));
  const { patch = {}, unset = [], before = {} } = edit;
  const base = applyPatch(lastServer, before, absentBefore({ patch, unset, before }));
  return { base, client: edit.action === "update" ? applyPatch(lastServer, patch, unset) : undefined, server };
}

function unknownSides(server: JsonObject | undefined, unknown: TillSyncError): KnownSides {
  return { base: undefined, client: undefined, server, unknown };
}

/** A conflict that could not be read when it came, with its sides if this app can read them. */
export function readAgain(
  collections: ResolvedCollections,
  conflict: StoredConflict,
  operation: StoredOperation | undefined,
): StoredConflict {
  const { collection, server: stored } = conflict;
  const definition = collections[collection];
  if (!conflict.unread || definition === undefined || operation === undefined) return conflict;
  const server = stored && raised(collection, definition, versionOf(conflict), stored);
  if (stored !== undefined && server === undefined) return conflict;
  const { unknown, ...sides } = sidesOn(definition, operation, server, server);
  return unknown === undefined
    ? { ...omit(conflict, "unread"), ...sides, ...versionLabel(definition.schemaVersion) }
    : conflict;
}

/** The error for what a newer app or a newer server has written [H7]. */
export function newerSchema({ collection, entityId }: Target): TillSyncError<"schema_newer"> {
  return new TillSyncError(
    "schema_newer",
    `\`${entityId}\` in \`${collection}\` was written with a newer schema than this app has. Update the app, or keep the server's side.`,
    { collection, id: entityId },
  );
}

function gone({ collection, entityId }: Target): TillSyncError<"not_found"> {
  return new TillSyncError(
    "not_found",
    `Neither the server nor this device has \`${entityId}\` in \`${collection}\` any more. Keep the server's side, or give the whole record as \`merged\`.`,
    { collection, id: entityId },
  );
}
