import { expect, test } from "vitest";
import { hintEvents, mayHaveMissed } from "../../../src/client/decide/hints.ts";

test.each([
  ["online", ["wake online"]],
  ["offline", ["wake visible"]],
  ["visible", ["wake visible"]],
  ["frozen", ["stop"]],
  ["resumed", ["start", "wake visible"]],
] as const)("%s: %j", (hint, expected) => {
  const shown = hintEvents(hint, true).map((event) => (event.kind === "wake" ? `wake ${event.why}` : event.kind));
  expect(shown).toEqual(expected);
});

test("a loop that does not run by itself is not started by a page that goes on", () => {
  expect(hintEvents("resumed", false)).toEqual([{ kind: "wake", why: "visible" }]);
});

test("a page that was out of sight may have missed what others wrote", () => {
  const hints = ["online", "offline", "visible", "frozen", "resumed"] as const;
  expect(hints.filter(mayHaveMissed)).toEqual(["visible", "resumed"]);
});
