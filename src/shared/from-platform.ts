/** Reading what the platform offers. */

/**
 * What `read` finds on the global object; `undefined` if the platform throws. Some browsers throw a SecurityError as
 * soon as a property is read if the page may not use it: a blocked site, a sandboxed frame. A client that can do
 * without the property must start all the same.
 */
export function fromPlatform<P, T>(read: (platform: P) => T | undefined): T | undefined {
  try {
    return read(globalThis as unknown as P);
  } catch {
    return undefined;
  }
}
