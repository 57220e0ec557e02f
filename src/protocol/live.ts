/** `GET /sync/live`: what comes through the socket. */
import * as z from "zod/mini";
import { collectionName } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { Poke } from "./types.ts";

export const pokeSchema = /* @__PURE__ */ define(() =>
  z.object({ collections: z.array(collectionName).check(z.maxLength(1_000)) }),
);

export function parsePoke(value: unknown): Parsed<Poke> {
  return parseWith<Poke>(pokeSchema, value);
}
