/** One message of each kind, as it goes over the wire: the words of docs/protocol.md, and what old versions must go on reading. */
import { readdirSync, readFileSync } from "node:fs";
import type { JsonObject } from "../../src/shared/json.ts";

const folder = new URL("../fixtures/protocol/", import.meta.url);

export const fixtureNames: readonly string[] = readdirSync(folder)
  .map((file) => file.replace(/\.json$/, ""))
  .sort();

export function fixtureText(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), "utf8");
}

/** A copy of its own, to be changed at will. */
export function fixture(name: string): JsonObject {
  return JSON.parse(fixtureText(name)) as JsonObject;
}

/** The fixture with one member set; `undefined` removes it. The path is dotted: "operations.0.id". */
export function fixtureWith(name: string, path: string, value: unknown): unknown {
  const root: unknown = fixture(name);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root) as Record<
    string,
    unknown
  >;
  // Not by assignment: `__proto__` must become a member, as JSON.parse makes it.
  if (value === undefined) delete parent[last];
  else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  return root;
}
