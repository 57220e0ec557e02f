/** The bench's own machinery, as small as it gets: nothing here is held to a time. */
import { expect, test } from "vitest";
import { tiny } from "../sizes.ts";
import type { Context } from "../suite.ts";
import { serverBenches } from "./suite.ts";

const context: Context = { sizes: tiny, versions: {}, progress: () => {} };

for (const { id, run } of serverBenches().filter(({ id }) => id.includes("sqlite"))) {
  test(`${id} measures what it says, beside the same rows written by hand`, async () => {
    const figures = await run(context);
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) {
      expect(figure.bench).toBe(id);
      expect(figure.ours.median).toBeGreaterThan(0);
      expect(figure.reference?.median).toBeGreaterThan(0);
    }
  });
}
