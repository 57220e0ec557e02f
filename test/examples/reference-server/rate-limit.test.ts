import { expect, test } from "vitest";
import { RateLimiter } from "../../../examples/reference-server/auth/rate-limit.ts";

test("attempts that were taken back push out none that count", () => {
  const limiter = new RateLimiter({ attempts: 2, windowMs: 60_000 }, () => 0);
  for (let n = 0; n < 2; n += 1) limiter.count("ann");
  for (let n = 0; n < 20_000; n += 1) {
    limiter.count(`somebody ${n}`);
    limiter.forgive(`somebody ${n}`);
  }
  expect(limiter.waitFor("ann")).toBe(60_000);
});

test("an attempt is taken back from those that count, and no more than was counted", () => {
  const limiter = new RateLimiter({ attempts: 2, windowMs: 60_000 }, () => 0);
  limiter.forgive("ann");
  for (let n = 0; n < 2; n += 1) limiter.count("ann");
  limiter.forgive("ann");
  expect(limiter.waitFor("ann")).toBe(0);
  limiter.count("ann");
  expect(limiter.waitFor("ann")).toBe(60_000);
});
