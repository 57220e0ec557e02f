/** One operation, parsed on its own: a malformed one must not hold up the others [C9]. */
import * as z from "zod/mini";
import { LIMITS } from "./constants.ts";
import {
  collectionName,
  id,
  integerFrom,
  jsonObject,
  memberName,
  moment,
  opaque,
  receipt,
  steps,
  text,
  uuid,
  version,
} from "./fields.ts";
import { define, type Parsed, parseWith } from "./parse.ts";
import type { WireOperation } from "./types.ts";

/** Refuses unknown members: they would be lost, or would not be covered by the payload's hash. */
export const operationSchema = /* @__PURE__ */ define(() => {
  const operationIds = z.array(uuid).check(z.maxLength(LIMITS.transactionOperations));
  const head = {
    id: uuid,
    sequence: integerFrom(1),
    collection: collectionName,
    entityId: id,
    transaction: z.optional(id),
    after: z.optional(operationIds),
    supersedes: z.optional(operationIds),
    schemaVersion: integerFrom(1),
    branch: z.optional(id),
    actor: z.optional(text(128)),
    occurredAt: moment,
    acknowledged: z.optional(
      z.strictObject({
        epoch: opaque,
        version,
        assigned: z.optional(jsonObject),
        schemaVersion: z.optional(integerFrom(1)),
        receipt: z.optional(receipt),
      }),
    ),
  };
  const force = z.optional(z.boolean());
  return z
    .discriminatedUnion("action", [
      z.strictObject({ ...head, action: z.literal("create"), data: jsonObject }),
      z.strictObject({
        ...head,
        action: z.literal("update"),
        baseVersion: version,
        patch: jsonObject,
        unset: z.optional(z.array(memberName).check(z.maxLength(1_000))),
        force,
      }),
      z.strictObject({ ...head, action: z.literal("increment"), by: steps }),
      z.strictObject({ ...head, action: z.literal("delete"), baseVersion: version, force }),
      z.strictObject({
        ...head,
        action: z.literal("void"),
        supersedes: z.array(uuid).check(z.minLength(1), z.maxLength(LIMITS.transactionOperations)),
      }),
    ])
    .check(({ value, issues }) => {
      const refuse = (path: string, message: string) =>
        issues.push({ code: "custom", input: value, path: [path], message });
      if (value.after?.includes(value.id)) refuse("after", "An operation can't wait for itself");
      if (value.supersedes?.includes(value.id)) refuse("supersedes", "An operation can't supersede itself");
      if (value.action !== "update") return;
      const both = value.unset?.find((name) => Object.hasOwn(value.patch, name));
      if (both !== undefined) refuse("unset", `Both set and removed: ${JSON.stringify(both)}`);
    });
});

/** Checks one operation. Unlike in every other message, unknown members are refused. */
export function parseOperation(value: unknown): Parsed<WireOperation> {
  return parseWith<WireOperation>(operationSchema, value);
}
