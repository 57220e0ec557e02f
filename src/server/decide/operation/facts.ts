/** A completed sale is a fact (L11): stored, annotated or set aside, never refused and never changed. */
import type { CreateOperation, Flag, OperationResult } from "../../../protocol/types.ts";
import { referencesIn } from "../../../schema/references.ts";
import { deepEqual, type JsonObject } from "../../../shared/json.ts";
import { mayDo, type ServedCollection } from "../rows/catalog.ts";
import { checkData, currentRow, recordOf, without } from "../rows/rows.ts";
import { inScope, scopeOf } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { applyChange } from "./apply-change.ts";
import { applied, quarantined } from "./verdicts.ts";

export function createFact(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: CreateOperation,
  acknowledged?: { readonly assigned: JsonObject | undefined } | undefined,
): OperationResult {
  const { entityId, data } = operation;
  const { assigned, references } = served.resolved;
  const filledIn = assigned.find((name) => Object.hasOwn(data, name));
  if (filledIn !== undefined) return quarantined(operation, "malformed", `Only the server fills in \`${filledIn}\``);
  if (view.released !== true && !mayDo(served, "create", view.principal)) {
    return quarantined(operation, "not_permitted", `The token may not create in \`${served.name}\``);
  }
  const checked = checkData(served, entityId, data, {});
  if (!checked.ok)
    return quarantined(operation, "validation_failed", "The schema does not accept the data", checked.issues);

  const before = currentRow(ws, served, entityId);
  if (before !== undefined && before.state !== "stub") {
    const same = deepEqual(without(before.data, assigned), checked.data);
    return same
      ? applied(operation, before.version)
      : quarantined(operation, "id_collision", "Another fact has this id, with other content");
  }
  const record = recordOf(served, { id: entityId, data: checked.data, counters: {} });
  const flags = unresolved(ws, references, checked.data);
  if (!inScope(view.principal, scopeOf(served, record))) {
    flags.push({ code: "out_of_scope", message: "The record belongs to another branch" });
  }
  return applyChange(ws, view, {
    operation,
    draft: {
      served,
      id: entityId,
      before,
      state: "live",
      data: checked.data,
      counters: before?.counters ?? {},
      isCreation: true,
      writtenFields: [],
      writer: view.incarnation,
    },
    flags,
    echo: false,
    content: { data: record },
    acknowledged,
  });
}

/** A reference to what is not there is a flag, and no reason to hold anything back [C1]. */
export function unresolved(
  ws: WorkingSet,
  references: ServedCollection["resolved"]["references"],
  data: JsonObject,
): Flag[] {
  return referencesIn(references, data)
    .filter(({ collection, id }) => ws.record(collection, id)?.state !== "live")
    .map(({ collection, id }) => ({ code: "unresolved_reference", message: `${collection}/${id}` }));
}
