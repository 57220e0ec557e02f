import { payloadOf, type WireOperation } from "tillsync/protocol";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/shared/json.ts";
import { fixture, fixtureWith } from "./fixtures.ts";

const textOf = (operation: unknown) => canonicalJson(payloadOf(operation as WireOperation));

describe("the payload of an operation", () => {
  test("has one text", () => {
    expect(textOf(fixture("operation.update"))).toBe(
      '{"action":"update","actor":"u-7","baseVersion":8790,"branch":"b-2","collection":"customers","entityId":"c-9",' +
        '"occurredAt":"2026-11-20T08:00:00.000Z","patch":{"note":null,"phone":"+49 30 901820"},"schemaVersion":3,"unset":["fax"]}',
    );
  });

  test.each([
    ["sequence", 99],
    ["after", ["019a9f3c-5e00-7000-8000-0000000000b0"]],
    ["after", []],
    ["supersedes", []],
    ["unset", undefined],
    ["acknowledged", { epoch: "e0", version: 1 }],
    ["force", true],
  ])("is the same whatever %s is at a later delivery", (member, value) => {
    const operation = fixtureWith("operation.update", "unset", undefined);
    expect(textOf({ ...(operation as object), [member]: value })).toBe(textOf(operation));
  });

  test.each([
    ["collection", "suppliers"],
    ["entityId", "c-10"],
    ["baseVersion", 8791],
    ["patch", { phone: "0" }],
    ["unset", []],
    ["transaction", "t"],
    ["supersedes", ["019a9f3c-5e00-7000-8000-0000000000b0"]],
    ["branch", "b-3"],
    ["actor", undefined],
    ["occurredAt", "2026-11-20T08:00:00.001Z"],
    ["schemaVersion", 4],
  ])("is another with another %s", (member, value) => {
    expect(textOf(fixtureWith("operation.update", member, value))).not.toBe(textOf(fixture("operation.update")));
  });
});
