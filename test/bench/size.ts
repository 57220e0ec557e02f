/** What the package weighs: the figures of `scripts/size.mjs`, which fails where this only tells. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/entries.mjs";
import { bundles, measure } from "../../scripts/size.mjs";
import { type Figure, spreadOf } from "./figures.ts";
import type { Bench } from "./suite.ts";

export const sizeBench: Bench = {
  id: "size",
  async run() {
    if (!existsSync(join(root, "dist/index.js")))
      throw new Error("There is no dist to weigh. Run `npm run build` first.");
    const figures: Figure[] = [];
    for (const bundle of bundles) {
      const { name, bytes, budget } = await measure(bundle);
      const most = budget / 1_000;
      figures.push({
        bench: "size",
        name: `${name}, minified, Brotli`,
        unit: "KB",
        ours: spreadOf([bytes / 1_000]),
        bound: { of: "value", most },
      });
    }
    return figures;
  },
};
