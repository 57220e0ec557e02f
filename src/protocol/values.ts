/** The scalars of the wire, as plain tests. This file imports no schema: the client's checks of answers use it, too. */
import { FORBIDDEN_KEYS, isPlainObject, UNSTORABLE } from "../shared/json.ts";
import type { UnknownOperation } from "./types.ts";

const ID = /^[A-Za-z0-9_-]{1,64}$/;
// RFC 9562, any version; lower case only: one operation must have one spelling, or a store that compares text sees two.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Characters of an epoch, a mark or a cursor: enough for a cursor with its scope and its signature. */
export const MAX_OPAQUE = 2_048;
const MAX_NAME = 128;
/** Short, and without a character that JSON escapes: it comes back with an operation of the largest size [M1]. */
const RECEIPT = /^[A-Za-z0-9_.-]{1,128}$/;

export function isId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** A UUID in lower case, as operation ids and incarnations are. */
export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/** An id that may also be a key of an object: no collection is called `constructor`. */
export function isCollectionName(value: unknown): value is string {
  return isId(value) && !FORBIDDEN_KEYS.has(value);
}

export function isMemberName(value: unknown): value is string {
  return isText(value, MAX_NAME) && !FORBIDDEN_KEYS.has(value);
}

export function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= maxLength && !UNSTORABLE.test(value);
}

export function isOpaque(value: unknown): value is string {
  return isText(value, MAX_OPAQUE);
}

export function isReceipt(value: unknown): value is string {
  return typeof value === "string" && RECEIPT.test(value);
}

export { isPlainObject };

export function isUnknownOperation(value: unknown): value is UnknownOperation {
  return isPlainObject(value) && isUuid(value.id);
}
