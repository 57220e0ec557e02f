/** The option `indexes`, in either of its forms, to field names by index name. (schema) */
import { invalidOption } from "../shared/errors.ts";

// A name becomes part of what an adapter calls its index, in IndexedDB as in SQL.
const INDEX_NAME = /^[A-Za-z_$][\w$]*$/;
const EXAMPLE = 'Write `indexes: ["name"]` or `indexes: { category: ["category", "name"] }`.';

/** @throws TillSyncError `invalid_option` */
export function resolveIndexes(indexes: unknown): Readonly<Record<string, readonly string[]>> {
  // Without a prototype: `indexes["constructor"]` must be undefined.
  const resolved: Record<string, readonly string[]> = Object.create(null);
  for (const [name, declared] of declarations(indexes)) {
    const fields = Array.isArray(declared) ? declared : [declared];
    if (fields.length === 0 || !fields.every((field) => typeof field === "string" && field !== "")) {
      throw invalidOption(`indexes.${name}`, "a field name or an array of them", declared, EXAMPLE);
    }
    if (!INDEX_NAME.test(name) || name === "__proto__") {
      const hint = `Name it in words: \`indexes: { byField: ${JSON.stringify(fields[0])} }\`.`;
      throw invalidOption("indexes", "of names made of letters, digits, _ and $", name, hint);
    }
    if (new Set(fields).size < fields.length) {
      throw invalidOption(`indexes.${name}`, "made of different fields", declared, "Name each field once.");
    }
    if (name in resolved) throw invalidOption("indexes", "free of repetitions", name, "Declare each index once.");
    resolved[name] = Object.freeze([...fields]);
  }
  return Object.freeze(resolved);
}

function declarations(indexes: unknown): readonly (readonly [string, unknown])[] {
  if (indexes === undefined) return [];
  if (typeof indexes !== "object" || indexes === null)
    throw invalidOption("indexes", "an array or an object", indexes, EXAMPLE);
  if (!Array.isArray(indexes)) return Object.entries(indexes);
  return indexes.map((field: unknown) => {
    if (typeof field === "string") return [field, field] as const;
    throw invalidOption("indexes", "an array of field names", field, EXAMPLE);
  });
}
