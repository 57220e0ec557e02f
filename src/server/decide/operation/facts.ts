/** A completed sale is a fact (L11): it is stored, annotated or quarantined, never rejected and never changed. */
import type { CreateOperation, Flag, OperationResult } from "../../../protocol/types.ts";
import { referencesIn } from "../../../schema/references.ts";
import { deepEqual, type JsonObject } from "../../../shared/json.ts";
import { checkData, currentRow, recordOf, without } from "../rows/rows.ts";
import { inScope, scopeOf } from "../rows/scope.ts";
import { applyChange } from "./apply-change.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { mayTakeEffect } from "./rights.ts";
import { applied, quarantined } from "./verdicts.ts";
import { visibleData } from "./visible.ts";

export function createFact(
  judgement: Judgement<CreateOperation>,
  acknowledged?: Acknowledgement | undefined,
): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { entityId, data } = operation;
  const { assigned } = served.resolved;
  const stray = ["id", ...assigned].find((name) => Object.hasOwn(data, name));
  if (stray !== undefined) return quarantined(operation, "malformed", `\`${stray}\` can't be set by \`create\``);
  if (!mayTakeEffect(view, served, "create")) {
    return quarantined(operation, "not_permitted", `The token may not create in \`${served.name}\``);
  }
  const checked = checkData(served, entityId, data, {});
  if (!checked.ok)
    return quarantined(operation, "validation_failed", "The schema does not accept the data", checked.issues);

  const before = currentRow(ws, served, entityId);
  if (before !== undefined && before.state !== "stub") {
    const same = deepEqual(without(before.data, assigned), checked.data);
    return same
      ? applied(operation, before.version, isAsSent(judgement, before.data) ? {} : visibleData(judgement, before))
      : quarantined(operation, "id_collision", "Another fact has this id, with different content");
  }
  const record = recordOf(served, { id: entityId, data: checked.data, counters: {} });
  const flags = unresolvedReferences(judgement, checked.data);
  if (!inScope(view.principal, scopeOf(served, record))) {
    flags.push({ code: "out_of_scope", message: "The record belongs to another branch" });
  }
  return applyChange(judgement, {
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
    echo: !isAsSent(judgement, checked.data),
    content: { data: record },
    acknowledged,
  });
}

/**
 * Whether the fact is stored as the till has it. The schema may have trimmed it, or filled in a default; and one that
 * was there before may have what the server had assigned to it [C4].
 */
function isAsSent({ operation, isRaised }: Judgement<CreateOperation>, data: JsonObject): boolean {
  return !isRaised && deepEqual(operation.data, data);
}

/** A reference to a row that does not exist is flagged. It is no reason to hold the operation back [C1]. */
export function unresolvedReferences({ ws, served }: Judgement, data: JsonObject): Flag[] {
  return referencesIn(served.resolved.references, data)
    .filter(({ collection, id }) => ws.record(collection, id)?.state !== "live")
    .map(({ collection, id }) => ({ code: "unresolved_reference", message: `${collection}/${id}` }));
}
