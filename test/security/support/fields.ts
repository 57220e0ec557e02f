/** Every member that a request can have, read from the schemas that parse it: a table that must name them all can't forget a new one. */

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly element?: unknown;
  readonly options?: readonly unknown[];
  readonly in?: unknown;
}

/** `operations[].after[]`, `device.id`. What is not taken apart by the schema, such as the shop's `data`, is one member. */
export function membersOf(schema: unknown, path = ""): readonly string[] {
  const { type, shape, innerType, element, options, in: input } = definitionOf(schema);
  switch (type) {
    case "object":
      return unique(
        Object.entries(shape ?? {}).flatMap(([name, member]) =>
          membersOf(member, path === "" ? name : `${path}.${name}`),
        ),
      );
    case "optional":
    case "nullable":
    case "default":
      return membersOf(innerType, path);
    case "array":
      return membersOf(element, `${path}[]`);
    case "union":
      return unique((options ?? []).flatMap((option) => membersOf(option, path)));
    case "pipe":
      return membersOf(input, path);
    default:
      return [path];
  }
}

function definitionOf(schema: unknown): Definition {
  const definition = (schema as { _zod?: { def?: Definition } })._zod?.def;
  if (definition === undefined)
    throw new Error("Expected a schema of zod: what reads the protocol's members must be told of others");
  return definition;
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
