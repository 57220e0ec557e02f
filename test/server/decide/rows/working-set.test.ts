/** What a decision has written, read back before it is stored. */
import { describe, expect, test } from "vitest";
import { WorkingSet } from "../../../../src/server/decide/rows/working-set.ts";
import {
  clockRow,
  departureRow,
  incarnationRow,
  operationRow,
  quarantinedRow,
  recordRow,
} from "../../../../src/server/testing/rows.ts";

const open = () => new WorkingSet(clockRow(10));

test("before the tenant has an epoch, no position is given out", () => {
  expect(() => new WorkingSet(undefined).take("o-1")).toThrow("the tenant has an epoch before anything else");
});

test("a decision that takes no position leaves the clock as it is stored", () => {
  expect(open().writes().clock).toBeUndefined();
});

describe("the results that a decision has written for a device", () => {
  test("are those after the position, in the order in which the device gets them", () => {
    const ws = open();
    for (const position of [14, 12, 11, 13]) ws.putOperation(operationRow(`o-${position}`, position));
    expect(ws.writtenResults("device-1", 11).map(({ id }) => id)).toEqual(["o-12", "o-13", "o-14"]);
  });

  test("are not those of another device", () => {
    const ws = open();
    ws.putOperation(operationRow("o-11", 11, { device: "device-2" }));
    expect(ws.writtenResults("device-1", 10)).toEqual([]);
  });
});

describe("where something has changed since a position", () => {
  const scopes = (ws: WorkingSet, position: number) => [...ws.touchedSince(position)].map(({ scope }) => scope);

  test("is where rows were written after it", () => {
    const ws = open();
    for (const version of [11, 12, 13])
      ws.putRecord(recordRow(`p-${version}`, version, { scope: `branch-${version}` }));
    expect(scopes(ws, 12)).toEqual(["branch-13"]);
  });

  test("is where rows have left a branch after it", () => {
    const ws = open();
    for (const version of [11, 12, 13]) ws.putDeparture(departureRow(`p-${version}`, version, `branch-${version}`));
    expect(scopes(ws, 12)).toEqual(["branch-13"]);
  });

  test("is not where a row only counts so far", () => {
    const ws = open();
    ws.putRecord(recordRow("p-1", 11, { state: "stub" }));
    expect(scopes(ws, 10)).toEqual([]);
  });
});

describe("a row that comes back to a branch", () => {
  test("has not left it: the departure is not written, and a stored one is taken back", () => {
    const ws = open();
    const departure = departureRow("p-1", 11, "north");
    ws.putDeparture(departure);
    ws.takeBackDeparture(departure);
    const { departures, returns } = ws.writes();
    expect({ departures, returns }).toEqual({ departures: [], returns: [departure] });
  });

  test("and leaves it once more has left it", () => {
    const ws = open();
    const departure = departureRow("p-1", 12, "north");
    ws.takeBackDeparture(departure);
    ws.putDeparture(departure);
    const { departures, returns } = ws.writes();
    expect({ departures, returns }).toEqual({ departures: [departure], returns: [] });
  });
});

test("a sequence number belongs to the operation that has just taken it [M6]", () => {
  const ws = open();
  ws.putOperation(operationRow("o-11", 11, { sequence: 7 }));
  expect(ws.sequenceOwner("incarnation-1", 7)).toBe("o-11");
});

test("an incarnation that is written twice is one, as it was written last", () => {
  const ws = open();
  ws.putIncarnation(incarnationRow("incarnation-1"));
  ws.putIncarnation(incarnationRow("incarnation-2"));
  ws.putIncarnation(incarnationRow("incarnation-1", { lastSequence: 5 }));
  const written = [incarnationRow("incarnation-1", { lastSequence: 5 }), incarnationRow("incarnation-2")];
  expect(ws.newestIncarnations("device-1")).toEqual(written);
  expect(ws.incarnation("device-1", "incarnation-1")).toEqual(written[0]);
  expect(ws.newestIncarnations("device-2")).toEqual([]);
});

test("what a device has in quarantine counts what was put there and taken out, until that is taken back", () => {
  const ws = open();
  const one = quarantinedRow("o-1", 11);
  const bytes = JSON.stringify(one.operation).length;
  const before = ws.savepoint();
  ws.putOperation(one);
  ws.putOperation(quarantinedRow("o-2", 12));
  ws.putOperation(quarantinedRow("o-3", 13, { device: "device-2" }));
  ws.putOperation(operationRow("o-4", 14));
  expect(ws.held("device-1")).toEqual({ operations: 2, bytes: 2 * bytes });
  ws.putOperation({ ...one, supersededBy: "o-4" });
  expect(ws.held("device-1")).toEqual({ operations: 1, bytes });
  ws.rollback(before);
  expect(ws.held("device-1")).toEqual({ operations: 0, bytes: 0 });
});

test("a thousand rows of ids that were never seen have room, beside the first of each list", () => {
  const ws = open();
  const before = ws.savepoint();
  expect(Array.from({ length: 1_001 }, () => ws.takePlaceholder()).filter((has) => has)).toHaveLength(1_000);
  ws.rollback(before);
  expect(ws.takePlaceholder()).toBe(true);
});

describe("the log", () => {
  test("begins empty", () => {
    expect(open().logged).toEqual([]);
  });

  test("loses only the lines of the rows that are taken back", () => {
    const ws = open();
    ws.logWritten("info", "kept", {});
    const before = ws.savepoint();
    ws.log("error", "of no row", {});
    ws.logWritten("info", "taken back", {});
    ws.rollback(before);
    expect(ws.logged.map(({ message }) => message)).toEqual(["kept", "of no row"]);
  });
});
