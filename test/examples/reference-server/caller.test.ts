import { expect, test } from "vitest";
import { callerOf } from "../../../examples/reference-server/caller.ts";

const PEER = "127.0.0.1";

test.each([
  ["no proxy: the header is anybody's word", "198.51.100.7", 0, PEER],
  ["one proxy: what it adds, and nothing left of it", "10.0.0.1, 198.51.100.7", 1, "198.51.100.7"],
  ["two proxies: what the first of them adds", "10.0.0.1, 198.51.100.7, 192.0.2.1", 2, "198.51.100.7"],
  ["with its port", "198.51.100.7:50123", 1, "198.51.100.7"],
  ["IPv6 with brackets and port", "[2001:db8::1]:50123", 1, "2001:db8::1"],
  ["IPv6", "2001:db8::1", 1, "2001:db8::1"],
  ["a request that did not come through as many", "198.51.100.7", 2, PEER],
  ["no header", undefined, 1, PEER],
  ["no address", "unknown", 1, PEER],
])("%s", (_what, header, hops, caller) => {
  expect(callerOf(PEER, header, hops)).toBe(caller);
});
