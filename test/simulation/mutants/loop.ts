/** Bugs that lose nothing, and end nothing either: who is woken, how long is waited, who has the turn. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const loop: readonly Mutant[] = [
  mutant(
    "queued not woken by other tabs",
    "V2",
    patch("client/tab/tab-channel.ts", '        loop.dispatch({ kind: "wake", why: "queued" });\n', ""),
  ),
  mutant(
    "backoff never resets",
    "V2",
    patch(
      "client/decide/sync-machine.ts",
      'const next = contact({ ...state.lanes, [lane]: goesOn ? "busy" : "idle" }, omit(failures, lane));',
      'const next = contact({ ...state.lanes, [lane]: goesOn ? "busy" : "idle" }, failures);',
    ),
  ),
  mutant(
    "hot loop: a failure is tried again at once",
    "V3",
    patch(
      "client/decide/backoff.ts",
      "return Math.round(Math.min(floorMs, LONGEST_FLOOR_MS) + wait);",
      "return wait > 0 ? 1 : 0;",
    ),
  ),
  mutant(
    "hot loop: at rest nobody waits",
    "V3",
    patch(
      "client/decide/sync-machine.ts",
      "return Math.round(options.intervalMs * (0.8 + 0.2 * unit));",
      "return Math.round(options.intervalMs * 0.05 * unit);",
    ),
  ),
  mutant(
    "pull stops for ever after an error",
    "V1",
    patch(
      "client/decide/sync-machine.ts",
      'effects: [isAsked ? { kind: lane } : { kind: "timer", lane,',
      'effects: lane === "pull" && !isAsked ? [] : [isAsked ? { kind: lane } : { kind: "timer", lane,',
    ),
  ),
  mutant(
    "a lease outlives its holder",
    "V1",
    patch(
      "client/decide/lease.ts",
      "if (isAnothers && stored.until > now && stored.until <= now + ms) return undefined;",
      "if (isAnothers) return undefined;",
    ),
  ),
  mutant(
    "a frozen holder is waited for",
    "V1",
    patch("client/platform/roll-call.ts", "const SILENCES = 2;", "const SILENCES = Number.POSITIVE_INFINITY;"),
  ),
  mutant(
    "a store that failed once ends sync for good",
    "V1",
    patch("client/sync/loop.ts", "        if (this.#turn === turn) this.#acquire(attempt + 1);\n", ""),
  ),
];
