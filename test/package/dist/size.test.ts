import { describe, expect, test } from "vitest";
import { bundles, measure } from "../../../scripts/size.mjs";

for (const bundle of bundles) {
  test(`${bundle.name}: at most ${bundle.ceiling ?? bundle.budget} bytes, without ${bundle.without.join(", ")}`, async () => {
    const { bytes, limit, unwanted } = await measure(bundle);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(limit);
    expect(unwanted).toEqual([]);
  });
}

describe("the measure", () => {
  test("counts the dependencies and names those that were not wanted", async () => {
    const bundle = { name: "", code: `export { default } from "ky";`, budget: 0, without: ["ky", "zod"] };
    const { bytes, unwanted } = await measure(bundle);
    expect(bytes).toBeGreaterThan(3000);
    expect(unwanted).toEqual(["ky"]);
  });

  test("doesn't count what tree shaking removes", async () => {
    const bundle = {
      name: "",
      code: `import "ky"; import ky from "ky"; export const one = 1;`,
      budget: 0,
      without: ["ky"],
    };
    expect(await measure(bundle)).toMatchObject({ unwanted: [] });
  });
});
