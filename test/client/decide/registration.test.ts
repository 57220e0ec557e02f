/** What the server's answer to a registration reveals about this store. */
import { describe, expect, test } from "vitest";
import { decideRegistration } from "../../../src/client/decide/registration.ts";
import type { Identity } from "../../../src/client/state/meta.ts";
import type { RegisterResponse } from "../../../src/protocol/types.ts";

const fresh: Identity = { deviceId: "till-1", incarnation: "0190", createdAt: 0 };
const known: Identity = { ...fresh, tenant: "shop", branch: "main", registered: true, number: 3 };
const answer = (over: Partial<RegisterResponse> = {}): RegisterResponse => ({
  requestId: "r",
  tenant: "shop",
  branch: "main",
  device: { id: "till-1", registeredAt: "2026-11-20T08:00:00.000Z", number: 3 },
  epoch: "e",
  lastSequence: 0,
  unsynced: [],
  serverTime: "2026-11-20T08:00:00.000Z",
  ...over,
});
const welcome = { kind: "welcome", loss: undefined };

describe("whose shop it is", () => {
  test("a store without a shop takes the token's", () => {
    expect(decideRegistration(fresh, 0, answer())).toEqual(welcome);
  });

  test.each([
    ["another tenant", { tenant: "other" }],
    ["another branch", { branch: "airport" }],
    ["no branch any more", { branch: undefined }],
  ])("a store that has one refuses %s", (_what, over) => {
    expect(decideRegistration(known, 9, answer(over))).toEqual({ kind: "wrong_workspace" });
  });

  test("another shop is said before anything is concluded from its numbers", () => {
    expect(decideRegistration(known, 9, answer({ tenant: "other", lastSequence: 10 })).kind).toBe("wrong_workspace");
  });
});

describe("a store that was put back [C7]", () => {
  test("is one that is behind what the server has seen of it, by so many operations", () => {
    const loss = { lastKnownSequence: 12, missing: 3 };
    expect(decideRegistration(known, 9, answer({ lastSequence: 12 }))).toEqual({ kind: "rolled_back", loss });
  });

  test("is not one that is even with it, or ahead", () => {
    for (const lastSequence of [9, 4]) expect(decideRegistration(known, 9, answer({ lastSequence }))).toEqual(welcome);
  });
});

describe("a new store of a device that is known [M11]", () => {
  const unsynced = [
    { incarnation: "0180", lastSequence: 40, missing: 2 },
    { incarnation: "0170", lastSequence: 880, missing: 1 },
  ];

  test("has lost what its earlier ones had not sent", () => {
    const loss = { lastKnownSequence: 880, missing: 3 };
    expect(decideRegistration(fresh, 0, answer({ unsynced }))).toEqual({ kind: "welcome", loss });
  });

  test("may have lost what the server knows nothing of, where it misses nothing", () => {
    const all = unsynced.map((earlier) => ({ ...earlier, missing: 0 }));
    const loss = { lastKnownSequence: 880, missing: undefined };
    expect(decideRegistration(fresh, 0, answer({ unsynced: all }))).toEqual({ kind: "welcome", loss });
  });

  test("is told once: not at a later registration, and not after a fork", () => {
    const forked: Identity = { ...fresh, registered: false };
    for (const identity of [known, forked])
      expect(decideRegistration(identity, 9, answer({ unsynced }))).toEqual(welcome);
  });
});
