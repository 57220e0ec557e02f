/** A collection with these counters as a server has it, and what the text of its rows in an answer says. */
import * as z from "zod";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { changeTexts } from "../../../src/server/decide/rows/change-text.ts";
import { resolveCatalog } from "../../../src/server/options.ts";
import type { RecordRow } from "../../../src/server/ports/rows.ts";
import { changeOf, recordRow } from "../../../src/server/testing/rows.ts";

const anyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;

export function servedWith(counters: readonly string[]) {
  const products = defineCollection({
    schema: z.object(Object.fromEntries(counters.map((name) => [name, z.int().default(0)]))).loose(),
    counters: counters as never,
    schemaVersion: 2,
    upcast: {
      1: ({ old, ...rest }) => {
        if (old === "broken") throw new Error("which unit?");
        return { ...rest, brought: true };
      },
    },
  });
  const catalog = resolveCatalog({ products }, { products: { scope: "tenant", allow: anyone } } as never);
  return catalog.collections.get("products")!;
}

export const parsed = (served: ReturnType<typeof servedWith>, row: Partial<RecordRow>) =>
  JSON.parse(changeTexts(served)(changeOf(recordRow("p-1", 7, { schemaVersion: 2, ...row }))));
