/** Standard Schema v1, the interface that zod, valibot and arktype share. Types only: no validator is a dependency. */

/** A schema of any library that implements Standard Schema v1, such as zod, valibot and arktype. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What the library provides: its name is the `vendor`; `types` exists only for the compiler. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    /** Checks a value. It must not return a promise: tillsync then throws `schema_async`. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The outcome of a check: the `value` that the schema puts out, or the `issues` that it has with the input. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One finding of a schema. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string;
  /** The keys that lead to the value, from the record downwards; absent or empty for the record as a whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What the schema accepts. */
export type SchemaInput<S extends StandardSchemaV1> = NonNullable<S["~standard"]["types"]>["input"];
/** What the schema puts out. */
export type SchemaOutput<S extends StandardSchemaV1> = NonNullable<S["~standard"]["types"]>["output"];
