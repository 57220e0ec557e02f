import { payloadOf, type WireOperation } from "tillsync/protocol";
import { describe, expect, test } from "vitest";
import { systemDigest } from "../../src/shared/digest.ts";
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

  test("has no member that the operation does not have", () => {
    expect(Object.keys(payloadOf(fixture("operation.delete") as unknown as WireOperation)).sort()).toEqual([
      "action",
      "actor",
      "baseVersion",
      "branch",
      "collection",
      "entityId",
      "occurredAt",
      "schemaVersion",
    ]);
  });

  // These hashes are stored with every operation: another one would make a re-sent sale a reused id.
  test.each([
    ["operation.create", "2f05b14d48497992aca223fb16e2508b55e0cfce41108f75500bf09bdbaa62d6"],
    ["operation.create-after", "ec7dd5253f6e8e98b7b87b1b2793ada6c486a7af6a6aa133cf160528324aa502"],
    ["operation.acknowledged", "2f05b14d48497992aca223fb16e2508b55e0cfce41108f75500bf09bdbaa62d6"],
    ["operation.update", "6a5088212854f640ad84194f63e924e4782f44a96123c472da7d941287463627"],
    ["operation.update-forced", "e7ce5ea1cc8c6aa5a74da5f19c229340a651ae5244554d50f9563a687b56fb0c"],
    ["operation.update-superseding", "b2efb7a59397e8def1aae742ca994110f383cb02ea39621e6d5579bf74f03f34"],
    ["operation.increment", "2a64777340a8f50be2fb5e58f8498e6251e11f9ca48694367552766c3c27cb9e"],
    ["operation.increment-decimal", "e0b80c6e50986e295745b475d2542443b90ecd6c789092a3cdc871e6c587cddd"],
    ["operation.delete", "ee5110cbac2d1a8ac253247637d64e55e890151d26b8cd80856b49711bb59837"],
    ["operation.void", "a8251871f87b93ac28c766247355d0d511141ae6ef375ec0748c3b452a085a5a"],
  ])("of %s has the hash that it always had", (name, hash) => {
    expect(systemDigest.sha256(textOf(fixture(name)))).toBe(hash);
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
