/** What the bench measures with must be what it says it is. */
import { expect, test } from "vitest";
import { productId } from "./bench-shop.ts";

test("ids come in the order of their making, and no two are alike", () => {
  const ids = Array.from({ length: 150_000 }, (_, index) => productId(index));
  const unordered = ids.findIndex((id, at) => at > 0 && id <= (ids[at - 1] as string));
  expect(unordered).toBe(-1);
});
