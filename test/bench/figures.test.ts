import { expect, test } from "vitest";
import { chosen, parseCommandLine } from "./command-line.ts";
import { compared, type Figure, quantile, spreadOf, verdictOf } from "./figures.ts";
import { markdown, summary, table } from "./report.ts";

const figure: Figure = {
  bench: "browser/sale",
  name: "a sale",
  unit: "ms",
  ...compared([
    { ours: 12, byHand: 10 },
    { ours: 30, byHand: 20 },
    { ours: 11, byHand: 10 },
  ]),
  bound: { of: "ratio", most: 1.3 },
};

test("the middle of the rounds counts, and a ratio is taken within its round", () => {
  expect(figure.ours).toEqual({ median: 12, low: 11, high: 30, rounds: 3 });
  expect(figure.ratio?.median).toBeCloseTo(1.2);
  expect(figure.ratio?.high).toBeCloseTo(1.5);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(() => spreadOf([])).toThrow(/at least one round/);
});

test("a bound is held to the ratio or to the figure itself, from above or from below", () => {
  expect(verdictOf(figure)).toBe("met");
  expect(verdictOf({ ...figure, bound: { of: "ratio", most: 1.1 } })).toBe("missed");
  expect(verdictOf({ ...figure, bound: { of: "ratio", least: 1.1 } })).toBe("met");
  expect(verdictOf({ ...figure, bound: { of: "value", least: 100_000 } })).toBe("missed");
  expect(verdictOf({ ...figure, bound: undefined })).toBe("");
});

test("the table says what was missed as plainly as what was met", () => {
  const missed: Figure = { ...figure, name: "another", bound: { of: "ratio", most: 1 } };
  const lines = table([figure, missed]);
  expect(lines.filter((line) => line.includes("browser/sale"))).toHaveLength(1);
  expect(lines.find((line) => line.startsWith("a sale"))).toMatch(
    /12 ms \(11–30\) .* 1\.20 \(1\.10–1\.50\) .*≤ 1\.30 × {2}met$/,
  );
  expect(lines.find((line) => line.startsWith("another"))).toMatch(/missed$/);
  expect(markdown([missed]).join("\n")).toContain("**missed**");
  expect(summary([figure, missed])).toBe("bounds: 1 met, 1 missed");
});

test("the command line chooses benches by a part of their names", () => {
  const line = parseCommandLine(["sqlite", "--quick", "--json", "out.json"], { PG_URL: "postgres://somewhere" });
  expect(line).toEqual({
    filters: ["sqlite"],
    quick: true,
    json: "out.json",
    markdown: undefined,
    database: "postgres://somewhere",
  });
  const benches = [{ id: "server/sqlite/push" }, { id: "growth/sqlite" }, { id: "size" }];
  expect(chosen(benches, ["sqlite"]).map(({ id }) => id)).toEqual(["server/sqlite/push", "growth/sqlite"]);
  expect(chosen(benches, [])).toHaveLength(3);
  expect(() => parseCommandLine(["--fast"], {})).toThrow(/--fast/);
});
