/** The network address that a request came from, for the rate limits. */
import { isIP } from "node:net";

/**
 * Each proxy appends to `X-Forwarded-For` the address that called it. The entries to the left of those by our own
 * proxies come from the caller, who may write anything. With `hops` proxies, the entry that counts is the `hops`-th
 * from the right.
 *
 * @param peer the address that opened the connection
 */
export function callerOf(peer: string | undefined, forwardedFor: string | undefined, hops: number): string {
  const entry = hops === 0 ? undefined : forwardedFor?.split(",").at(-hops);
  return (entry === undefined ? undefined : addressIn(entry.trim())) ?? peer ?? "unknown";
}

/** Some proxies add the port, and brackets around the address. The port differs per connection for the same caller. */
function addressIn(entry: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([^:]+):\d+$/.exec(entry)?.[1] ?? entry;
  return isIP(bare) === 0 ? undefined : bare;
}
