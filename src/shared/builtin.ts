/** Node's own modules, without an import that would break a browser bundle. */

interface ProcessLike {
  getBuiltinModule?(id: string): unknown;
}

/** A module of Node (20.16 or newer). `undefined` elsewhere: in browsers, workers and edge runtimes. */
export function builtinModule<T>(id: string): T | undefined {
  const process = (globalThis as { process?: ProcessLike }).process;
  return process?.getBuiltinModule?.(id) as T | undefined;
}
