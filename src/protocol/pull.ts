/** `POST /sync/pull`. */
import * as z from "zod/mini";
import { LIMITS } from "./constants.ts";
import {
  answerHead,
  collectionName,
  cursors,
  deviceRef,
  id,
  integerFrom,
  jsonObject,
  marks,
  opaque,
  version,
  versions,
} from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import { resultSchema } from "./results.ts";
import type { PullRequest, PullResponse } from "./types.ts";
import { isPlainObject } from "./values.ts";

export const pullRequestSchema = /* @__PURE__ */ define(() =>
  z.object({
    device: deviceRef,
    epoch: opaque,
    marks: z.optional(marks),
    schemaVersion: integerFrom(1),
    collections: cursors,
    schemaVersions: z.optional(versions),
    limit: z.optional(z.int().check(z.minimum(1), z.maximum(LIMITS.pullChanges))),
    limitBytes: z.optional(integerFrom(1)),
  }),
);

export const pullResponseSchema = /* @__PURE__ */ define(() => {
  const absent = z.optional(z.undefined());
  const change = z.discriminatedUnion("deleted", [
    z.object({ id, version, data: jsonObject, schemaVersion: z.optional(integerFrom(1)), deleted: absent }),
    z.object({
      id,
      version,
      deleted: z.literal(true),
      reason: z.optional(z.literal("scope")),
      data: absent,
      schemaVersion: absent,
    }),
  ]);
  const page = z.object({
    changes: z.array(change),
    cursor: opaque,
    more: z.boolean(),
    remaining: z.optional(integerFrom(0)),
    schemaVersion: z.optional(integerFrom(1)),
  });
  // `z.record` silently drops a member called `__proto__`; the client's own checks refuse it, so this must, too.
  const unpoisoned = z.custom<object>(isUnpoisoned, {
    error: (issue) => (issue.input === undefined ? "Missing" : "Expected an object without `__proto__`"),
  });
  const pages = z.pipe(unpoisoned, z.record(collectionName, page));
  const waiting = z.pipe(unpoisoned, z.record(collectionName, z.string()));
  return z.object({
    ...answerHead,
    results: z.array(resultSchema),
    moreResults: z.optional(z.boolean()),
    pages,
    waiting: z.optional(waiting),
  });
});

function isUnpoisoned(value: unknown): value is object {
  return isPlainObject(value) && !Object.hasOwn(value, "__proto__");
}

/** Checks the body of `POST /sync/pull`. */
export function parsePullRequest(value: unknown): Parsed<PullRequest> {
  return parseWith<PullRequest>(pullRequestSchema, value);
}

/** Checks the answer to a pull. */
export function parsePullResponse(value: unknown): Parsed<PullResponse> {
  return parseWith<PullResponse>(pullResponseSchema, value);
}
