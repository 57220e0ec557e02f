/** `POST /sync/push`. */
import * as z from "zod/mini";
import { LIMITS } from "./constants.ts";
import { answerHead, deviceRef, integerFrom, marks, opaque, unknownOperation } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import { resultSchema } from "./results.ts";
import type { PushFrame, PushResponse } from "./types.ts";

const operations = /* @__PURE__ */ define(() =>
  z.array(unknownOperation).check(z.maxLength(LIMITS.pushOperations), ({ value, issues }) => {
    const seen = new Set<string>();
    for (const [index, { id }] of value.entries()) {
      if (seen.has(id)) {
        issues.push({ code: "custom", input: id, path: [index, "id"], message: "Twice in one push" });
        return;
      }
      seen.add(id);
    }
  }),
);

export const pushFrameSchema = /* @__PURE__ */ define(() =>
  z.object({
    device: deviceRef,
    epoch: opaque,
    marks: z.optional(marks),
    operations,
    limitBytes: z.optional(integerFrom(1)),
  }),
);

export const pushResponseSchema = /* @__PURE__ */ define(() =>
  z.object({ ...answerHead, results: z.array(resultSchema), moreResults: z.optional(z.boolean()) }),
);

/**
 * Checks the frame of `POST /sync/push` only [C9]: who speaks, and that each operation has an id of its own. The
 * operations are returned as they were sent; `parseOperation` checks them one by one.
 */
export function parsePushFrame(value: unknown): Parsed<PushFrame> {
  return parseWith<PushFrame>(pushFrameSchema, value);
}

/** Checks the answer to a push. */
export function parsePushResponse(value: unknown): Parsed<PushResponse> {
  return parseWith<PushResponse>(pushResponseSchema, value);
}
