/** `POST /sync/register`. */
import * as z from "zod/mini";
import { id, integerFrom, marks, moment, opaque, text, uuid } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { RegisterRequest, RegisterResponse } from "./types.ts";

export const registerRequestSchema = /* @__PURE__ */ define(() => {
  const label = z.optional(text(128));
  return z.object({
    device: z.object({ id, incarnation: uuid, name: label, os: label, appVersion: label }),
    schemaVersion: integerFrom(1),
    firstSequence: z.optional(integerFrom(1)),
    epoch: z.optional(opaque),
    marks: z.optional(marks),
  });
});

export const registerResponseSchema = /* @__PURE__ */ define(() =>
  z.object({
    requestId: id,
    tenant: id,
    branch: z.optional(id),
    device: z.object({ id, registeredAt: moment, number: integerFrom(1) }),
    epoch: opaque,
    mark: z.optional(opaque),
    lastSequence: integerFrom(0),
    unsynced: z.array(z.object({ incarnation: uuid, lastSequence: integerFrom(0), missing: integerFrom(0) })),
    serverTime: moment,
  }),
);

/** Checks the body of `POST /sync/register`. */
export function parseRegisterRequest(value: unknown): Parsed<RegisterRequest> {
  return parseWith<RegisterRequest>(registerRequestSchema, value);
}

/** Checks the answer to a registration. */
export function parseRegisterResponse(value: unknown): Parsed<RegisterResponse> {
  return parseWith<RegisterResponse>(registerResponseSchema, value);
}
