/** Edits are raised by the difference that they make [H7]. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch } from "../../src/schema/patch.ts";
import { upcastData, upcastEdit } from "../../src/schema/upcast.ts";
import type { Json, JsonObject } from "../../src/shared/json.ts";
import { collectionOf, FIELDS, type FieldStep, fieldSteps, raisedField } from "../support/field-steps.ts";
import { times } from "../support/property.ts";

const value = fc.integer({ min: -1_000, max: 1_000 });
const recordOf = (names: readonly string[]) =>
  fc
    .tuple(...names.map(() => fc.option(value)))
    .map(
      (values): JsonObject =>
        Object.fromEntries(names.flatMap((name, at) => (typeof values[at] === "number" ? [[name, values[at]]] : []))),
    );

/** An edit of a record of version 1: each field is set, removed or left alone. */
const edit = fc
  .tuple(...FIELDS.map(() => fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, value, fc.constant(null))))
  .map((values) => ({
    patch: Object.fromEntries(
      FIELDS.flatMap((name, at) => (typeof values[at] === "number" ? [[name, values[at]]] : [])),
    ),
    unset: FIELDS.filter((_, at) => values[at] === null),
  }));

/** What the steps make of one field of version 1: its name and its value in the last version. */
function expected(steps: readonly FieldStep[], edited: { patch: JsonObject; unset: readonly string[] }) {
  const set: Record<string, Json> = {};
  for (const [name, json] of Object.entries(edited.patch)) {
    const [nameNow, valueNow] = raisedField(steps, name, json as number);
    set[nameNow] = valueNow;
  }
  return { set, removed: edited.unset.map((name) => raisedField(steps, name, 0)[0]) };
}

describe("upcastEdit", () => {
  it("raises an edit so that it does to the raised record what it did to the old one", () => {
    fc.assert(
      fc.property(fieldSteps, recordOf(FIELDS), edit, (steps, record, { patch, unset }) => {
        const { name, resolved } = collectionOf(steps);
        const raise = (data: JsonObject) => upcastData(name, resolved, 1, data);
        const raised = upcastEdit(name, resolved, 1, { patch, unset }, record);
        expect(applyPatch(raise(record), raised.patch, raised.unset)).toEqual(raise(applyPatch(record, patch, unset)));
      }),
      times(500),
    );
  });

  it("raises an edit of a record that is raised already, and changes no field that the edit does not name", () => {
    fc.assert(
      fc.property(fieldSteps, recordOf(FIELDS), edit, (steps, record, { patch, unset }) => {
        const { name, resolved } = collectionOf(steps);
        const now = upcastData(name, resolved, 1, record);
        const { set, removed } = expected(steps, { patch, unset });
        // A record of the new version has no field under its old name, so nothing of it can be removed there.
        const before = Object.fromEntries(
          [...Object.keys(patch), ...unset].flatMap((field) =>
            Object.hasOwn(record, field) ? [[field, record[field] as Json]] : [],
          ),
        );
        const raised = upcastEdit(name, resolved, 1, { patch, unset, before }, now);
        expect(applyPatch(now, raised.patch, raised.unset)).toEqual(applyPatch(now, set, removed));
      }),
      times(500),
    );
  });

  it("raises what the fields were before together with the edit", () => {
    fc.assert(
      fc.property(fieldSteps, recordOf(FIELDS), edit, (steps, record, { patch, unset }) => {
        const { name, resolved } = collectionOf(steps);
        const raise = (data: JsonObject) => upcastData(name, resolved, 1, data);
        const before = Object.fromEntries(
          [...Object.keys(patch), ...unset].flatMap((field) =>
            Object.hasOwn(record, field) ? [[field, record[field] as Json]] : [],
          ),
        );
        const edited = applyPatch(record, patch, unset);
        const raised = upcastEdit(name, resolved, 1, { patch, unset, before }, edited);
        for (const field of [...Object.keys(raised.patch), ...raised.unset])
          expect(raised.before?.[field]).toEqual(raise(record)[field]);
      }),
      times(500),
    );
  });
});
