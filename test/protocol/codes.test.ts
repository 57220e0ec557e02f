import { PROBLEM_STATUS, type ProblemCode, problemType } from "tillsync/protocol";
import { describe, expect, test } from "vitest";
import { fixture, fixtureNames } from "./fixtures.ts";

describe("the type of a problem", () => {
  test("is a URN with the problem's code", () => {
    expect(problemType("device_revoked")).toBe("urn:tillsync:problem:device_revoked");
  });

  test.each(fixtureNames.filter((name) => name.startsWith("problem.")))(
    "and its status are those that %s always had",
    (name) => {
      const { code, type, status } = fixture(name);
      expect([problemType(code as ProblemCode), PROBLEM_STATUS[code as ProblemCode]]).toEqual([type, status]);
    },
  );
});
