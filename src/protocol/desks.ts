/** The server's desks: conflicts, and operations in quarantine. */
import * as z from "zod/mini";
import { collectionName, id, jsonObject, moment, opaque, text, unknownOperation, uuid, version } from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import { finalResultSchema, rowStateSchema, verdictSchema } from "./results.ts";
import type {
  ConflictsResponse,
  DeskQuery,
  DiscardQuarantinedRequest,
  QuarantineResponse,
  ResolveConflictRequest,
  RevisedResponse,
} from "./types.ts";

const choice = /* @__PURE__ */ define(() => z.enum(["server", "client", "merged"]));
const reason = /* @__PURE__ */ define(() => text(1_000));
const next = /* @__PURE__ */ define(() => z.optional(opaque));

/** The parameters of a query string: each is text. */
export const deskQuerySchema = /* @__PURE__ */ define(() =>
  z.object({
    state: z.optional(z.enum(["open", "settled"])),
    limit: z.optional(
      z.pipe(
        z.string().check(z.regex(/^\d{1,3}$/, "Expected 1 to 200")),
        z.pipe(z.transform(Number), z.int().check(z.minimum(1), z.maximum(200))),
      ),
    ),
    after: next,
  }),
);

export const conflictsResponseSchema = /* @__PURE__ */ define(() =>
  z.object({
    requestId: id,
    conflicts: z.array(
      z.object({
        id,
        operationId: uuid,
        collection: collectionName,
        entityId: id,
        fields: z.array(z.string()),
        client: jsonObject,
        server: rowStateSchema,
        current: z.optional(rowStateSchema),
        device: id,
        actor: z.optional(z.string()),
        detectedAt: moment,
        settled: z.optional(z.object({ choice, by: z.string(), at: moment, note: z.optional(z.string()) })),
      }),
    ),
    next,
  }),
);

export const resolveConflictRequestSchema = /* @__PURE__ */ define(() =>
  z
    .object({ choice, data: z.optional(jsonObject), version: z.optional(version), note: z.optional(reason) })
    .check(({ value, issues }) => {
      if ((value.choice === "merged") === (value.data !== undefined)) return;
      issues.push({ code: "custom", input: value, path: ["data"], message: "Expected with `merged`, and only then" });
    }),
);

export const quarantineResponseSchema = /* @__PURE__ */ define(() =>
  z.object({
    requestId: id,
    quarantined: z.array(
      z.object({
        operation: unknownOperation,
        error: verdictSchema,
        device: id,
        receivedAt: moment,
        discarded: z.optional(z.object({ by: z.string(), at: moment, reason: z.string() })),
      }),
    ),
    next,
  }),
);

export const discardQuarantinedRequestSchema = /* @__PURE__ */ define(() => z.object({ reason }));

export const revisedResponseSchema = /* @__PURE__ */ define(() =>
  z.object({ requestId: id, results: z.array(finalResultSchema) }),
);

/** Checks the query of `GET /sync/conflicts` and `GET /sync/quarantine`, given as an object of texts. */
export function parseDeskQuery(value: unknown): Parsed<DeskQuery> {
  return parseWith<DeskQuery>(deskQuerySchema, value);
}

/** Checks the answer of `GET /sync/conflicts`. */
export function parseConflictsResponse(value: unknown): Parsed<ConflictsResponse> {
  return parseWith<ConflictsResponse>(conflictsResponseSchema, value);
}

/** Checks the body of `POST /sync/conflicts/{id}/resolve`. */
export function parseResolveConflictRequest(value: unknown): Parsed<ResolveConflictRequest> {
  return parseWith<ResolveConflictRequest>(resolveConflictRequestSchema, value);
}

/** Checks the answer of `GET /sync/quarantine`. */
export function parseQuarantineResponse(value: unknown): Parsed<QuarantineResponse> {
  return parseWith<QuarantineResponse>(quarantineResponseSchema, value);
}

/** Checks the body of `POST /sync/quarantine/{operation id}/discard`. */
export function parseDiscardQuarantinedRequest(value: unknown): Parsed<DiscardQuarantinedRequest> {
  return parseWith<DiscardQuarantinedRequest>(discardQuarantinedRequestSchema, value);
}

/** Checks the answer to a release, a discard or a resolution. */
export function parseRevisedResponse(value: unknown): Parsed<RevisedResponse> {
  return parseWith<RevisedResponse>(revisedResponseSchema, value);
}
