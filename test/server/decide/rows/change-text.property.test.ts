/** Rows whose stored text goes out as it is must say what the same rows would, parsed and written again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { dataOf } from "../../../../src/server/decide/rows/rows.ts";
import { times } from "../../../support/property.ts";
import { parsed, servedWith } from "../../support/served.ts";

test("the text of a change says what the parsed row says, whatever its names and values", () => {
  const name = fc.oneof(fc.constantFrom("stock", 'a,"stock', "\\", 'sold":', "", ","), fc.string({ unit: "binary" }));
  const names = fc.uniqueArray(
    name.filter((text) => !["", "id", "__proto__", "constructor", "prototype"].includes(text)),
    { maxLength: 4 },
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), name, fc.dictionary(name, fc.integer()));
  fc.assert(
    fc.property(names, fc.dictionary(name, value), fc.dictionary(name, fc.integer()), (declared, data, counters) => {
      const served = servedWith(declared);
      const row = { data: JSON.parse(JSON.stringify(data)), counters };
      expect(parsed(served, row).data).toEqual(JSON.parse(JSON.stringify(dataOf(served, row))));
    }),
    times(100),
  );
});
