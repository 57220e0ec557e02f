/** What the torture finds: nothing where all is well, and each kind of broken word where it is given one. */
import { expect, test } from "vitest";
import { parseCommandLine } from "./command-line.ts";
import { closingLine } from "./report.ts";
import { brokenServer, NOTHING, ownFile, tortured } from "./support.ts";

test("a server with a SQLite file is killed under load, and what the tills have saved is there once", async () => {
  const result = await tortured({ database: await ownFile() });
  expect(result.found, result.said).toEqual(NOTHING);
  expect(result.killed).toEqual({ server: 3, postgres: 0 });
  expect(result.operations).toBeGreaterThan(20);
  expect(closingLine(result)).toMatch(
    /^kills 3 \(server 3, postgres 0\), lost 0, doubled 0, half 0, diverged 0, operations \d+, seconds \d+$/,
  );
});

test("a server that answers before it commits is caught: what it had answered is not there after a kill", async () => {
  const { found, said } = await tortured({ database: await ownFile(), serverMain: brokenServer("early") });
  expect(found.lost.join("\n"), said).toMatch(
    /was answered, and is not on the server|had forgotten what it had answered/,
  );
});

test("a server that commits in two parts is caught: a sale is there by halves after a kill", async () => {
  const { found, said } = await tortured({ database: await ownFile(), serverMain: brokenServer("torn") });
  expect(found.half.length, said).toBeGreaterThan(0);
});

test("a server that forgets what it has had is caught: what comes twice takes effect twice", async () => {
  const { found, said } = await tortured({
    database: await ownFile(),
    serverMain: brokenServer("forgetful"),
    quietMs: 2_000,
  });
  expect([...found.half, ...found.doubled].join("\n"), said).toMatch(/stock of product-\d/);
});

test("a wrong call says what was expected", () => {
  expect(parseCommandLine([])).toEqual({ kills: 50, seed: 1, tills: 4, database: "postgres" });
  expect(parseCommandLine(["--help"])).toBe("help");
  expect(() => parseCommandLine(["--kills", "0"])).toThrow("Expected --kills to be an integer from 1 to 100000");
  expect(() => parseCommandLine(["--database", "mysql://"])).toThrow("Expected --database to be sqlite, postgres");
  expect(() => parseCommandLine(["--kill"])).toThrow("Unknown option '--kill'");
});
