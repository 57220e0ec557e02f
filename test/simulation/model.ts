/**
 * What callers saw, and what was stored: all that the invariants are checked against. It knows nothing of how the till works.
 */

import type { StoredOperation } from "../../src/client/state/operation.ts";
import { JOURNAL_WINDOW_MS } from "../../src/protocol/constants.ts";
import type { RegisterResponse } from "../../src/protocol/types.ts";
import type { Machine } from "./machines/machine.ts";
import type { Seen } from "./machines/seen.ts";
import type { Tab } from "./machines/tab.ts";
import type { SimWorld } from "./world.ts";

export interface KnownOperation {
  readonly operation: StoredOperation;
  /** What the author of an edit had before him when he made it. */
  readonly seen?: Seen | undefined;
  /** When the server gave the first final result: by its clock. */
  judgedAt?: number;
  /** Its till has forgotten it, as it may after two weeks [C8.7]. */
  pruned?: boolean;
  /** A listener was told of it. */
  told: boolean;
  /**
   * Its disk is gone. `safe`: the server had it then, and no restore has taken that away: it must still be there at the end.
   */
  lost?: { safe: boolean };
}

export interface Loss {
  readonly machine: Machine;
  readonly at: number;
  /** Operations that nobody but the disk had. */
  readonly unsynced: Set<string>;
  readonly keptMarker: boolean;
  readonly isWiped: boolean;
}

export interface Owed {
  readonly at: number;
  readonly incarnation: string;
  readonly lastSequence: number;
  /** How many operations the server says that it never got; `undefined` where the till must find that out itself. */
  readonly missing: number | undefined;
}

export interface Heard {
  readonly machine: Machine;
  readonly at: number;
  readonly event: "storage_lost" | "identity_forked" | "epoch_changed" | "device_revoked";
  /** Of `storage_lost`. */
  readonly missing?: number | undefined;
}

export class Model {
  readonly operations = new Map<string, KnownOperation>();
  readonly losses: Loss[] = [];
  readonly heard: Heard[] = [];
  /** Phases and causes that some status was in. */
  readonly states = new Set<string>();
  /** The server has told them that it knows more of them than they do: when, and of which incarnation. */
  readonly owed = new Map<Machine, Owed>();
  acknowledged = 0;
  readonly #world: SimWorld;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  watch(tab: Tab): void {
    const { client, machine } = tab;
    const { timeline } = this.#world;
    client.on("queued", ({ operations }) => {
      for (const { id } of operations) {
        const known = this.operations.get(id);
        if (known) known.told = true;
        else this.#world.violation("S7", `${tab.name} told of operation ${id}, which was never stored`);
      }
    });
    let before = "";
    client.on("status", (status) => {
      const what = "cause" in status ? status.cause : "activity" in status ? status.activity : "";
      const state = `${status.phase} ${what}`.trim();
      this.states.add(state);
      if (state !== before) this.#world.trace.say(machine.name, `${tab.name} is ${state}`);
      before = state;
    });
    for (const event of ["storage_lost", "identity_forked", "epoch_changed", "device_revoked"] as const) {
      client.on(event, (payload: unknown) => {
        const { missing } = payload as { readonly missing?: number };
        this.heard.push({ machine, at: timeline.now, event, missing });
        this.#world.trace.say(machine.name, `${event} ${JSON.stringify(payload)}`);
      });
    }
    client.on("error", (error) => {
      this.#world.trace.say(machine.name, `${tab.name} error ${error.code}: ${error.message}`);
      if (error.code === "internal")
        this.#world.violation("S12", `${tab.name}: ${error.message} ${String(error.cause ?? "")}`);
    });
  }

  /** It is being committed on that disk. */
  stored(_machine: Machine, operation: StoredOperation, seen?: Seen): void {
    const known = this.operations.get(operation.id);
    if (known === undefined) this.operations.set(operation.id, { operation, seen, told: false });
  }

  /** The server has answered. What it says at a time is not older than what was asked. */
  judged(results: readonly { readonly id: string; readonly status: string }[], at: number): void {
    for (const { id, status } of results) {
      const known = this.operations.get(id);
      if (known && status !== "blocked" && status !== "retry") known.judgedAt ??= at;
    }
  }

  /** A till forgets it: only what it has known for two weeks, and what another operation stands for. */
  pruned(machine: Machine, id: string): void {
    const known = this.operations.get(id);
    if (known === undefined) return;
    known.pruned = true;
    const { state } = machine.operations().find((one) => one.id === id) ?? {};
    // It may have been judged long ago, and have been heard of only now.
    const { receivedAt } = this.#world.server.rows().operations?.find((row) => row.id === id) ?? {};
    const age = this.#world.server.now() - Math.min(...[known.judgedAt, receivedAt].filter((at) => at !== undefined));
    if (state === "applied" && !(age >= JOURNAL_WINDOW_MS))
      this.#world.violation("S1", `${machine.name} forgets ${id}, which was applied ${age / 86_400_000} days ago`);
  }

  /** A caller was told that these are on disk. */
  acknowledge(machine: Machine, collection: string, ids: readonly string[]): void {
    this.acknowledged += 1;
    const minted = new Set(
      [...this.operations.values()].map(({ operation }) => `${operation.collection}/${operation.entityId}`),
    );
    for (const id of ids)
      if (!minted.has(`${collection}/${id}`))
        this.#world.violation("S1", `${machine.name} acknowledged ${collection}/${id} without an operation`);
  }

  diskLost(machine: Machine, operations: readonly StoredOperation[], keptMarker: boolean, isWiped: boolean): void {
    const there = this.#world.server.arrived();
    const elsewhere = new Set(
      this.#world.machines
        .filter((other) => other !== machine)
        .flatMap((other) => other.operations().map(({ id }) => id)),
    );
    const unsynced = new Set<string>();
    // What the marker tells is how far the store had counted: nothing, where the other picture has counted as far.
    const { sequence } = machine.counted();
    for (const { id, ...operation } of operations) {
      const known = this.operations.get(id);
      if (known === undefined || elsewhere.has(id)) continue;
      known.lost = { safe: there.has(id) };
      if (!there.has(id) && operation.sequence > sequence) unsynced.add(id);
    }
    // What was lost with the disk before may be on the picture that is put back now.
    for (const { id } of machine.operations()) {
      delete this.operations.get(id)?.lost;
      for (const loss of this.losses) loss.unsynced.delete(id);
    }
    this.losses.push({ machine, at: this.#world.timeline.now, unsynced, keptMarker, isWiped });
  }

  /** The server has let it in. What the marker said was told before: a shop may be without a network for days. */
  met(machine: Machine, { lastSequence, unsynced }: RegisterResponse): void {
    const { isNew, sequence, incarnation } = machine.counted();
    if (lastSequence > sequence || (isNew && unsynced.length > 0))
      this.owed.set(machine, {
        at: this.#world.timeline.now,
        incarnation,
        lastSequence,
        missing: lastSequence > sequence ? undefined : unsynced.reduce((sum, { missing }) => sum + missing, 0),
      });
    // It did not come to hear the answer before, and has counted on since: the fork that follows is all that it can tell.
    else if (this.owed.get(machine)?.incarnation === incarnation) this.owed.delete(machine);
    const loss = this.losses.findLast((one) => one.machine === machine);
    if (loss === undefined || !loss.isWiped || !loss.keptMarker || loss.unsynced.size === 0) return;
    const isTold = this.heard.some(
      (one) => one.machine === machine && one.at >= loss.at && one.event === "storage_lost",
    );
    if (!isTold) this.#world.violation("S12", `${machine.name} has a marker of what it lost, and did not tell`);
  }

  /** It writes down what the server has said. Has it sold meanwhile, then it is not behind any more: the fork is all that it can tell. */
  registers(machine: Machine): void {
    const owed = this.owed.get(machine);
    const { isNew, sequence } = machine.counted();
    if (owed && !isNew && sequence >= owed.lastSequence) this.owed.delete(machine);
  }

  /** One store has worked under that name, and never went back in time. */
  isUnique(device: string): boolean {
    const own = this.#world.machines.filter(({ deviceId }) => deviceId === device);
    return own.length === 1 && own[0]?.life === 1;
  }

  /** The server's database is another one now. */
  restored(): void {
    const there = this.#world.server.arrived();
    for (const [id, known] of this.operations) if (known.lost && !there.has(id)) known.lost.safe = false;
    // Nor does it know any more how far they had counted.
    this.owed.clear();
  }
}
