/** JSON as a value: what may be stored and sent, its canonical text, copies and comparison. */
import { assert } from "./assert.ts";

// The other half of the subject: text that is not parsed yet.
export { elementTexts, jsonBytes, scanJsonText, withoutDepth } from "./json-text.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json;
}

/** How deep arrays and objects may be nested, the outermost one included. A constant of the protocol. */
export const MAX_JSON_DEPTH = 32;

export interface JsonFault {
  /** The place of the fault, as in code: `items[0].price`. Empty for the value itself. */
  readonly path: string;
  /** The same, part by part. */
  readonly segments: readonly (string | number)[];
  /** What is there, to follow the word "got": `an instance of Date`, `undefined`, `the number NaN`. */
  readonly reason: string;
}

export interface JsonFaultOptions {
  /** @default 32 */
  maxDepth?: number | undefined;
  /**
   * Accepts object members that are `undefined`, which {@link toJson} leaves out. In arrays they are never accepted.
   * @default false
   */
  allowUndefined?: boolean | undefined;
}

/** Keys that reach an object's prototype in a careless merge. The protocol refuses them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set(["__proto__", "constructor", "prototype"]);
/**
 * PostgreSQL can't store U+0000, and UTF-8 has no lone surrogates: such text would be different when it is read again.
 * With the `u` flag a pair of surrogates is one character above this range, so only lone ones match. `isWellFormed` is
 * too new for the browsers of many tills.
 */
export const UNSTORABLE = /[\0\ud800-\udfff]/u;

/**
 * The first thing in `value` that would be changed by the wire, or `undefined` if all of it is JSON of the protocol:
 * plain objects and arrays of strings, booleans, `null`, safe integers and finite fractions.
 */
export function jsonFault(
  value: unknown,
  { maxDepth = MAX_JSON_DEPTH, allowUndefined = false }: JsonFaultOptions = {},
): JsonFault | undefined {
  const segments: (string | number)[] = [];
  const ancestors: object[] = [];
  const reason = find(value);
  return reason === undefined ? undefined : { path: pathText(segments), segments, reason };

  // Leaves the place of the fault in `segments`. `maxDepth` bounds the recursion.
  function find(at: unknown): string | undefined {
    if (typeof at !== "object" || at === null) return scalarFault(at);
    if (ancestors.includes(at)) return "a cycle";
    if (ancestors.length >= maxDepth) return `a value nested deeper than ${maxDepth}`;
    const isArray = Array.isArray(at);
    if (!isArray && !isPlain(at)) return `an instance of ${at.constructor?.name || "a class"}`;
    ancestors.push(at);
    // An array's indexes and not its keys: a hole must be found, too; it reads as `undefined`.
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
      // The remainder of an infinity or of NaN is NaN.
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

/** A fault as the end of a sentence, after "got". */
export function faultText({ path, reason }: JsonFault): string {
  return path === "" ? reason : `${reason} at \`${path}\``;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Looks at the prototypes and not for this realm's `Object.prototype`: objects of an iframe or a vm context are plain,
 * too.
 */
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
 * A deep copy of plain objects and arrays, as JSON would return it: members that are `undefined` are left out, and -0
 * becomes 0. The value must have passed {@link jsonFault} with `allowUndefined`.
 */
export function toJson<T extends Json>(value: T): T;
export function toJson(value: unknown): Json;
export function toJson(value: unknown): Json {
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object" || value === null) return value as Json;
  if (Array.isArray(value)) return value.map(toJson);
  // `fromEntries` defines members: it never calls the setter of `__proto__`.
  return Object.fromEntries(definedEntries(value as JsonObject).map(([key, member]) => [key, toJson(member)]));
}

/** Freezes plain objects and arrays on all levels, and returns the value. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/**
 * The canonical text of a value (RFC 8785): members sorted by UTF-16 code units, numbers as ECMAScript writes them, no
 * spaces. Two parties that hash it get the same hash. Members that are `undefined` count as absent.
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

/** Deep equality. A member that is `undefined` equals an absent one, and -0 equals 0: JSON keeps neither difference. */
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
