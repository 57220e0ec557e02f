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

/** What a provider gives one customer, and what one can get without effort (RFC 6177, RFC 7421). */
export type PrefixLength = 48 | 64;

/**
 * The network that an address is in, for limits: whoever has an IPv6 address has 2^64 of them. An IPv4 address, also one
 * that is written as IPv6, stands for itself.
 */
export function networkOf(address: string, prefix: PrefixLength): string {
  const [bare = ""] = address.split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(bare) !== 6) return address;
  // The URL parser writes the groups in their shortest form, also those that end in an IPv4 address.
  const [before = "", after] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split("::");
  const [head, tail] = [groupsIn(before), groupsIn(after ?? "")];
  const zeros = after === undefined ? [] : new Array<string>(8 - head.length - tail.length).fill("0");
  return `${[...head, ...zeros, ...tail].slice(0, prefix / 16).join(":")}::/${prefix}`;
}

const groupsIn = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
