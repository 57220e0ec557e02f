import { expect, test } from "vitest";
import { callerOf, networkOf } from "../../../examples/reference-server/caller.ts";

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

test.each([
  ["2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff::1", 64, "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::9", 64, "2001:db8:1:2::/64"],
  ["2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::/48"],
  ["2001:db8::1", 64, "2001:db8:0:0::/64"],
  ["::1", 64, "0:0:0:0::/64"],
  ["fe80::1%eth0", 64, "fe80:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", 64, "64:ff9b:0:0::/64"],
  ["::ffff:192.0.2.1", 64, "192.0.2.1"],
  ["::FFFF:192.0.2.1", 48, "192.0.2.1"],
  ["192.0.2.1", 64, "192.0.2.1"],
  ["unknown", 64, "unknown"],
] as const)("%s is in the network /%i %s", (address, prefix, network) => {
  expect(networkOf(address, prefix)).toBe(network);
});
