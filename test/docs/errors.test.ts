/**
 * docs/errors.md lists the codes that the source has, and the types' comments explain the same ones: each of them, and
 * no other.
 */
import { describe, expect, test } from "vitest";
import { documentedMembersOf, documentedNames, literalsOf, membersOf, ofVariant } from "../support/declared.ts";
import { readPage, tableUnder } from "./markdown.ts";

const page = readPage("docs/errors.md");

/** The codes in a column of the table under a heading. */
function codesIn(heading: string, column = 0): readonly string[] {
  return tableUnder(page, heading).flatMap((row) =>
    [...(row[column] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
  );
}

const STATUS = "src/client/types/status.ts";
const EVENTS = "src/client/types/events.ts";
const DESKS = "src/client/types/desks.ts";
const CODES = "src/protocol/codes.ts";
const TRANSPORT = "src/client/ports/transport.ts";

describe("docs/errors.md lists", () => {
  test.each([
    ["Thrown errors", membersOf("src/shared/errors.ts", "ErrorDetails")],
    ["Phases", literalsOf(STATUS, "SyncPhase", "phase")],
    ["Causes of `offline`", ofVariant(STATUS, "SyncPhase", "phase", "offline", "cause")],
    ["Causes of `action_needed`", ofVariant(STATUS, "SyncPhase", "phase", "action_needed", "cause")],
    ["Events", membersOf(EVENTS, "SyncEvents")],
    ["States of an operation", literalsOf(DESKS, "OperationStatus", "state")],
    ["Verdicts", literalsOf(CODES, "OperationErrorCode")],
    ["Flags", literalsOf(CODES, "OperationFlagCode")],
    ["Failures of a transport", literalsOf(TRANSPORT, "TransportFailure", "kind")],
  ])("under “%s” what the source has", (heading, codes) => {
    expect(codes.length).toBeGreaterThan(3);
    expect([...codesIn(heading)].sort()).toEqual([...codes].sort());
  });

  test("every answer to a whole request, with its status", async () => {
    const { PROBLEM_STATUS } = await import("tillsync/protocol");
    const said = tableUnder(page, "Answers to a whole request").map(([code = "", status]) => [
      code.replaceAll("`", ""),
      Number(status),
    ]);
    expect(Object.fromEntries(said)).toEqual(PROBLEM_STATUS);
  });

  test("the reasons of a transport's failures", () => {
    const reasons = ["unreachable", "unauthorised"].flatMap((kind) =>
      ofVariant(TRANSPORT, "TransportFailure", "kind", kind, "reason"),
    );
    expect([...codesIn("Failures of a transport", 1)].sort()).toEqual([...reasons].sort());
  });
});

describe("the comments of the types explain", () => {
  test.each([
    ["Phases", documentedNames(STATUS, "SyncPhase", "phase")],
    ["Causes of `offline`", documentedNames(STATUS, "SyncPhase", "cause", "offline")],
    ["Causes of `action_needed`", documentedNames(STATUS, "SyncPhase", "cause", "action_needed")],
    ["Events", documentedMembersOf(EVENTS, "SyncEvents")],
    ["States of an operation", documentedNames(DESKS, "OperationStatus", "state")],
    ["Failures of a transport", documentedNames(TRANSPORT, "TransportFailure", "kind")],
  ])("what is listed under “%s”", (heading, names) => {
    expect([...names].sort()).toEqual([...codesIn(heading)].sort());
  });

  test("the reasons of a transport's failures", () => {
    const names = documentedNames(TRANSPORT, "TransportFailure", "reason");
    expect([...names].sort()).toEqual([...codesIn("Failures of a transport", 1)].sort());
  });
});
