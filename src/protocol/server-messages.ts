/**
 * What a server says outside of register, push, pull and the desks: `GET /sync/health`, `GET /sync/time`, the pokes of
 * `GET /sync/live`, and the problem document of a request that fails.
 */
import * as z from "zod/mini";
import { PROBLEM_STATUS, type Problem, type ProblemCode } from "./codes.ts";
import { collectionName, id, integerFrom, moment, opaque } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { HealthResponse, Poke, TimeResponse } from "./types.ts";

export const healthResponseSchema = /* @__PURE__ */ define(() =>
  z.object({
    status: z.literal("ok"),
    protocol: z.array(integerFrom(1)),
    serverTime: moment,
    limits: z.record(z.string(), integerFrom(0)),
  }),
);

export const timeResponseSchema = /* @__PURE__ */ define(() => z.object({ serverTime: moment }));

export const pokeSchema = /* @__PURE__ */ define(() =>
  z.object({ collections: z.array(collectionName).check(z.maxLength(1_000)) }),
);

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

/** Checks the answer of `GET /sync/health`. */
export function parseHealthResponse(value: unknown): Parsed<HealthResponse> {
  return parseWith<HealthResponse>(healthResponseSchema, value);
}

/** Checks the answer of `GET /sync/time`. */
export function parseTimeResponse(value: unknown): Parsed<TimeResponse> {
  return parseWith<TimeResponse>(timeResponseSchema, value);
}

/** Checks a message of `GET /sync/live`, parsed from its JSON text. */
export function parsePoke(value: unknown): Parsed<Poke> {
  return parseWith<Poke>(pokeSchema, value);
}

/** Checks the body of an `application/problem+json` answer. */
export function parseProblem(value: unknown): Parsed<Problem> {
  return parseWith<Problem>(problemSchema, value);
}
