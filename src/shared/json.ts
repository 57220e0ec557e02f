/**
 * JSON as a value: what may be stored and sent, its one canonical text, copies and comparison.
 */
import { assert } from "./assert.ts";

// The other half of the subject: text that is not parsed yet.
export { jsonBytes, scanJsonText } from "./json-text.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json;
}

/** Nested arrays and objects that a value may have, itself included. A constant of the protocol. */
export const MAX_JSON_DEPTH = 32;

export interface JsonFault {
  /** Where, as one would write it in code: `items[0].price`. Empty: the value itself. */
  readonly path: string;
  /** The same, part by part. */
  readonly segments: readonly (string | number)[];
  /** What stands there instead, to be read after "got": `an instance of Date`, `undefined`, `the number NaN`. */
  readonly reason: string;
}

export interface JsonFaultOptions {
  /** @default 32 */
  maxDepth?: number | undefined;
  /** Object members that are `undefined` count as absent: {@link toJson} leaves them out. In arrays they never pass. @default false */
  allowUndefined?: boolean | undefined;
}

/** Keys that reach an object's prototype when somebody merges without care. The protocol refuses them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set(["__proto__", "constructor", "prototype"]);
/**
 * PostgreSQL can't store U+0000, and UTF-8 has no lone surrogate: the text would be another one when it comes back. With the
 * `u` flag a pair is one character above this range, so that only lone ones match. `isWellFormed` is too young for the tablets
 * that tills are.
 */
export const UNSTORABLE = /[\0\ud800-\udfff]/u;

/**
 * The first thing in `value` that would not come back from the wire as it went, or `undefined` where it is JSON of the
 * protocol: plain objects and arrays of strings, booleans, `null`, safe integers and finite fractions.
 */
export function jsonFault(
  value: unknown,
  { maxDepth = MAX_JSON_DEPTH, allowUndefined = false }: JsonFaultOptions = {},
): JsonFault | undefined {
  const segments: (string | number)[] = [];
  const ancestors: object[] = [];
  const reason = find(value);
  return reason === undefined ? undefined : { path: pathText(segments), segments, reason };

  // Leaves `segments` at the place of the fault. Recursion is bounded by `maxDepth`.
  function find(at: unknown): string | undefined {
    if (typeof at !== "object" || at === null) return scalarFault(at);
    if (ancestors.includes(at)) return "a cycle";
    if (ancestors.length >= maxDepth) return `a value nested deeper than ${maxDepth}`;
    const isArray = Array.isArray(at);
    if (!isArray && !isPlain(at)) return `an instance of ${at.constructor?.name || "a class"}`;
    ancestors.push(at);
    // The indexes of an array, not its members' names: a hole must be met as the `undefined` that it reads as.
    for (const key of isArray ? at.keys() : Object.keys(at)) {
      const member = (at as Readonly<Record<string | number, unknown>>)[key];
      segments.push(key);
      const isAbsent = allowUndefined && !isArray && member === undefined;
      const fault = (isArray ? undefined : nameFault(key as string)) ?? (isAbsent ? undefined : find(member));
      if (fault !== undefined) return fault;
      segments.pop();
    }
    ancestors.pop();
    return undefined;
  }
}

function nameFault(name: string): string | undefined {
  if (FORBIDDEN_KEYS.has(name)) return "a forbidden name";
  return UNSTORABLE.test(name) ? "a name with U+0000 or a lone surrogate" : undefined;
}

function scalarFault(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return UNSTORABLE.test(value) ? "a string with U+0000 or a lone surrogate" : undefined;
    case "number":
      // What is left of an infinity or NaN is NaN.
      if (Number.isSafeInteger(value) || value % 1) return undefined;
      return Number.isFinite(value) ? "an integer beyond 2^53 - 1" : `the number ${value}`;
    case "boolean":
    case "object":
      return undefined;
    case "undefined":
      return "undefined";
    default:
      return `a ${typeof value}`;
  }
}

/** A fault in a sentence, behind "got". */
export function faultText({ path, reason }: JsonFault): string {
  return path === "" ? reason : `${reason} at \`${path}\``;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** By shape and not by identity of `Object.prototype`: objects of another realm (an iframe, a vm context) are plain too. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function pathText(segments: readonly (string | number)[]): string {
  let text = "";
  for (const segment of segments) {
    if (/^[A-Za-z_$][\w$]*$/.test(`${segment}`)) text += text === "" ? segment : `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/**
 * A deep copy of plain objects and arrays, as JSON would give it back: members that are `undefined` are left out,
 * -0 becomes 0. The value must have passed {@link jsonFault} with `allowUndefined`.
 */
export function toJson<T extends Json>(value: T): T;
export function toJson(value: unknown): Json;
export function toJson(value: unknown): Json {
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object" || value === null) return value as Json;
  if (Array.isArray(value)) return value.map(toJson);
  // `fromEntries` defines members: it calls no setter of `__proto__`, whatever comes.
  return Object.fromEntries(definedEntries(value as JsonObject).map(([key, member]) => [key, toJson(member)]));
}

/** Freezes plain objects and arrays all the way down, and returns the value. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/**
 * The one text of a value by RFC 8785: members sorted by UTF-16 code units, numbers as ECMAScript writes them, no spaces.
 * Two parties that hash it agree. Members that are `undefined` count as absent.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value)) return `[${value.map((element: Json) => canonicalJson(element)).join(",")}]`;
    const object = value as JsonObject;
    const members: string[] = [];
    for (const key of Object.keys(object).sort()) {
      const member = object[key];
      if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
    }
    return `{${members.join(",")}}`;
  }
  assert(scalarFault(value) === undefined, "`canonicalJson` was given a value that `jsonFault` refuses");
  return JSON.stringify(value);
}

/** Deep equality. A member that is `undefined` equals an absent one, and -0 equals 0: neither difference outlives JSON. */
export function deepEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [left, right] = [definedEntries(a), b as JsonObject];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    left.length === definedEntries(b).length &&
    left.every(([key, member]) => Object.hasOwn(right, key) && deepEqual(member, right[key]))
  );
}

function definedEntries(object: object): [string, Json][] {
  return Object.entries(object).filter(([, member]) => member !== undefined);
}
