/** Resolves the option `indexes`, in either of its forms, into field names by index name. */
import { expectOption } from "../shared/errors.ts";

// Adapters make the name part of their own index's name, in IndexedDB and in SQL.
const INDEX_NAME = /^(?!__proto__$)[A-Za-z_$][\w$]*$/;
const EXAMPLE = 'Write `indexes: ["name"]` or `indexes: { byName: ["name", "id"] }`.';

/** @throws TillSyncError `invalid_option` */
export function resolveIndexes(indexes: unknown = []): Readonly<Record<string, readonly string[]>> {
  expectOption(typeof indexes === "object" && indexes !== null, "indexes", "an array or an object", indexes, EXAMPLE);
  // It has no prototype: `indexes["constructor"]` must be undefined.
  const resolved: Record<string, readonly string[]> = Object.create(null);
  const declarations = Array.isArray(indexes) ? indexes.map((field) => [field, field]) : Object.entries(indexes);
  for (const [name, declared] of declarations) {
    const isName = typeof name === "string" && INDEX_NAME.test(name) && !(name in resolved);
    expectOption(isName, "indexes", "of different names of letters, digits, _ and $", name, EXAMPLE);
    const fields: unknown[] = Array.isArray(declared) ? [...declared] : [declared];
    const areFields = fields.length > 0 && fields.every((field, at) => isField(field) && fields.indexOf(field) === at);
    expectOption(areFields, `indexes.${name}`, "a field name or a list of different ones", declared, EXAMPLE);
    resolved[name] = Object.freeze(fields as string[]);
  }
  return Object.freeze(resolved);
}

/** Whether it can be the name of a top-level field. */
export function isField(name: unknown): name is string {
  return typeof name === "string" && name !== "";
}
