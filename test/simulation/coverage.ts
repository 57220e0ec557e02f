/** What a run of many seeds has reached: a zero says something only of what has happened. */
import { faults } from "./faults/index.ts";
import { lies } from "./lies/index.ts";
import type { Outcome } from "./world.ts";

/** Every state of a till's status that a person can see. `failed` and `closed` are among those that faults lead to. */
const STATES = [
  "opening",
  "first_sync",
  "online idle",
  "online pushing",
  "online pulling",
  "offline no_network",
  "offline unreachable",
  "offline server_error",
  "offline throttled",
  "offline device_error",
  "paused",
  "action_needed auth_required",
  "action_needed device_revoked",
  "action_needed wrong_workspace",
  "failed",
] as const;

export class Coverage {
  readonly hits = new Map<string, number>();
  readonly pairs = new Map<string, number>();
  readonly states = new Map<string, number>();
  readonly lies = new Map<string, number>();

  add({ hits, states, lies: told = {} }: Outcome): void {
    const kinds = Object.keys(hits).sort();
    for (const kind of kinds) this.hits.set(kind, (this.hits.get(kind) ?? 0) + (hits[kind] ?? 0));
    for (const [at, one] of kinds.entries())
      for (const other of kinds.slice(at + 1)) count(this.pairs, `${one} + ${other}`);
    for (const state of states) count(this.states, state);
    for (const [kind, times] of Object.entries(told)) this.lies.set(kind, (this.lies.get(kind) ?? 0) + times);
  }

  unreachedLies(): readonly string[] {
    return lies.map(({ kind }) => kind).filter((kind) => !this.lies.has(kind));
  }

  unreachedFaults(): readonly string[] {
    return kindsOfFault().filter((kind) => !this.hits.has(kind));
  }

  unreachedPairs(): readonly string[] {
    const kinds = [...kindsOfFault()].sort();
    return kinds.flatMap((one, at) =>
      kinds
        .slice(at + 1)
        .map((other) => `${one} + ${other}`)
        .filter((pair) => !this.pairs.has(pair)),
    );
  }

  unreachedStates(): readonly string[] {
    return STATES.filter((state) => !this.states.has(state));
  }
}

export const kindsOfFault = (): readonly string[] => faults.map(({ kind }) => kind);

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
