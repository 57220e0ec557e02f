/** An error of a whole request: `application/problem+json`, RFC 9457. */
import * as z from "zod/mini";
import { PROBLEM_STATUS, type Problem, type ProblemCode } from "./codes.ts";
import { collectionName, id, opaque } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";

export const problemSchema = /* @__PURE__ */ define(() =>
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int().check(z.minimum(400), z.maximum(599)),
    detail: z.string(),
    code: z.enum(Object.keys(PROBLEM_STATUS) as ProblemCode[]),
    requestId: id,
    epoch: z.optional(opaque),
    collections: z.optional(z.array(collectionName)),
  }),
);

export function parseProblem(value: unknown): Parsed<Problem> {
  return parseWith<Problem>(problemSchema, value);
}
