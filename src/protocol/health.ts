/** `GET /sync/health` and `GET /sync/time`. */
import * as z from "zod/mini";
import { integerFrom, moment } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { HealthResponse, TimeResponse } from "./types.ts";

export const healthResponseSchema = /* @__PURE__ */ define(() =>
  z.object({
    status: z.literal("ok"),
    protocol: z.array(integerFrom(1)),
    serverTime: moment,
    limits: z.record(z.string(), integerFrom(0)),
  }),
);

export const timeResponseSchema = /* @__PURE__ */ define(() => z.object({ serverTime: moment }));

export function parseHealthResponse(value: unknown): Parsed<HealthResponse> {
  return parseWith<HealthResponse>(healthResponseSchema, value);
}

export function parseTimeResponse(value: unknown): Parsed<TimeResponse> {
  return parseWith<TimeResponse>(timeResponseSchema, value);
}
