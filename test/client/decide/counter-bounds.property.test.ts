/** Whatever the counters of a record are, an edit on the till is judged on the fields that it names [H4]. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { keyOf } from "../../../src/schema/counters.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { accepts, drawn, name } from "../../support/bounded-counters.ts";
import { times } from "../../support/property.ts";
import { DecisionTill, update } from "../support/decision-till.ts";

test("an edit is accepted or refused whatever the counters are, and trimmed as the schema says", () => {
  const holds = fc.property(drawn, name, ({ definition, counters }, to) => {
    const till = new DecisionTill({ products: definition });
    till.pull("products", { id: "p-1", version: 1, data: { name: "Cola", ...counters } });
    try {
      const [operation] = till.write([update("products", "p-1", { name: to })]);
      expect(operation).toMatchObject({ patch: { name: to.trim() } });
      expect(till.view("products", "p-1")).toEqual({ name: to.trim(), ...counters });
    } catch (error) {
      if (!isTillSyncError(error, "validation_failed")) throw error;
      expect(accepts(to), error.message).toBe(false);
      expect(error.details.issues.map(({ path }) => keyOf(path?.[0]))).toEqual(["name"]);
      return;
    }
    expect(accepts(to)).toBe(true);
  });
  fc.assert(holds, times(300));
});
