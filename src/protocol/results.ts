/** The result of one operation, in answers to a push, a pull, and the desks' actions. */
import * as z from "zod/mini";
import { id, integerFrom, jsonObject, receipt, uuid, version } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { FinalResult, OperationResult } from "./types.ts";

export const verdictSchema = /* @__PURE__ */ define(() =>
  z.object({
    code: z.string(),
    message: z.string(),
    issues: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
  }),
);

const absent = /* @__PURE__ */ define(() => z.optional(z.undefined()));

export const rowStateSchema = /* @__PURE__ */ define(() =>
  z.discriminatedUnion("deleted", [
    z.object({ version, data: jsonObject, schemaVersion: z.optional(integerFrom(1)), deleted: absent }),
    z.object({ version, deleted: z.literal(true), data: absent, schemaVersion: z.optional(integerFrom(1)) }),
  ]),
);

const head = /* @__PURE__ */ define(() => ({
  id: uuid,
  replayed: z.optional(z.boolean()),
  revision: z.optional(integerFrom(0)),
  at: z.optional(integerFrom(0)),
}));

const finals = /* @__PURE__ */ define(
  () =>
    [
      z.object({
        ...head,
        status: z.literal("applied"),
        version,
        data: z.optional(jsonObject),
        omitted: z.optional(z.boolean()),
        schemaVersion: z.optional(integerFrom(1)),
        deleted: z.optional(z.boolean()),
        assigned: z.optional(jsonObject),
        receipt: z.optional(receipt),
        flags: z.optional(
          z.array(
            z.object({
              code: z.string(),
              message: z.optional(z.string()),
              discrepancyId: z.optional(z.string()),
            }),
          ),
        ),
      }),
      z.object({
        ...head,
        status: z.literal("conflict"),
        conflictId: id,
        fields: z.array(z.string()),
        server: rowStateSchema,
      }),
      z.object({
        ...head,
        status: z.literal("rejected"),
        error: verdictSchema,
        by: z.optional(uuid),
        server: z.optional(rowStateSchema),
      }),
      z.object({ ...head, status: z.literal("quarantined"), error: verdictSchema }),
    ] as const,
);

export const finalResultSchema = /* @__PURE__ */ define(() => z.discriminatedUnion("status", finals));

export const resultSchema = /* @__PURE__ */ define(() =>
  z.discriminatedUnion("status", [
    ...finals,
    z.object({ ...head, status: z.literal("blocked"), by: z.array(uuid), missing: z.optional(z.boolean()) }),
    z.object({
      ...head,
      status: z.literal("retry"),
      afterMs: z.optional(integerFrom(0)),
      error: verdictSchema,
    }),
  ]),
);

/** Checks one result, final or not. */
export function parseResult(value: unknown): Parsed<OperationResult> {
  return parseWith<OperationResult>(resultSchema, value);
}

/** Checks one final result: `applied`, `conflict`, `rejected` or `quarantined`. */
export function parseFinalResult(value: unknown): Parsed<FinalResult> {
  return parseWith<FinalResult>(finalResultSchema, value);
}
