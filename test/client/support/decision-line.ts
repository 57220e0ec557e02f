/** A till without I/O, connected to the server's decisions. Requests and answers are lost or late, as a test says. */
import { resolveByPerson } from "../../../src/client/decide/conflict.ts";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import { selectBatch } from "../../../src/client/decide/selection.ts";
import { supersede } from "../../../src/client/decide/supersede.ts";
import { toWire } from "../../../src/client/decide/wire.ts";
import type { Workspace } from "../../../src/client/decide/workspace.ts";
import { generationOf } from "../../../src/client/state/meta.ts";
import { isIn, isReplayed, isWaiting, type StoredOperation } from "../../../src/client/state/operation.ts";
import type { Change } from "../../../src/protocol/types.ts";
import type { CollectionMap } from "../../../src/schema/types.ts";
import type { PullOutcome } from "../../../src/server/decide/pull.ts";
import type { PushOutcome } from "../../../src/server/decide/push.ts";
import type { Mark } from "../../../src/server/decide/rows/marks.ts";
import type { ServerWorld } from "../../server/support/world.ts";
import { DecisionTill } from "./decision-till.ts";

/** What becomes of a request: its answer arrives; is lost, as if the request had not arrived; or arrives later. */
export type Fate = "answered" | "request_lost" | "answer_lost" | "late";

interface Answer {
  readonly outcome: PushOutcome | PullOutcome;
  readonly epoch: string;
  /** The cursors with which a pull was requested. */
  readonly cursors: Readonly<Record<string, string | null>> | undefined;
}

const named = (epoch: string) => ({ epoch, ordinal: Number(epoch.slice(1)) });

export class DecisionLine {
  readonly till: DecisionTill;
  readonly #world: ServerWorld;
  readonly #device: string;
  readonly #names: readonly string[];
  #marks: { push: Mark | undefined; pull: Mark | undefined } = { push: undefined, pull: undefined };
  #late: Answer[] = [];
  #written = 0;

  constructor(world: ServerWorld, number: number, collections: CollectionMap) {
    this.#world = world;
    this.#device = `till-${number}`;
    this.#names = Object.keys(collections);
    this.till = new DecisionTill(collections, (n) => `00000000-0000-7000-8000-${number}${String(n).padStart(11, "0")}`);
    this.till.point = { ...this.till.point, epoch: world.epoch };
  }

  write(changes: readonly LocalChange[]): void {
    this.#written += 1;
    this.till.write(changes, { transaction: `${this.#device}-t${this.#written}` });
  }

  /** Sends pending and unblocked operations, at most `maxOperations` of them. */
  async push(maxOperations: number, fate: Fate): Promise<boolean> {
    const all = [...this.till.operations.values()];
    const lane = ({ status, lane }: StoredOperation) =>
      status.state === "blocked" ? 9 : status.state === "pending" && status.resend ? -1 : lane;
    const line = all
      .filter(
        (o) => isIn(o, "pending") || (isIn(o, "blocked") && o.status.blockedInRound < this.till.queue.unblockRound),
      )
      .sort((a, b) => lane(a) - lane(b) || a.rank - b.rank);
    const others = all.filter((o) => isReplayed(o) || isIn(o, "rejected"));
    const limits = { maxOperations, maxBytes: 1_000_000 };
    const from = (candidates: readonly StoredOperation[]) =>
      selectBatch({ candidates, others, limits, skip: () => false });
    // What a lost history had accepted re-enters before anything new [C8.6].
    const journal = from(line.filter((o) => isIn(o, "pending") && o.status.resend));
    const selected = journal.length > 0 ? journal : from(line);
    if (selected.length === 0) return false;
    await this.#ask(fate, undefined, (device) => device.outcome(selected.map(toWire)));
    return true;
  }

  async pull(limit: number, fate: Fate): Promise<boolean> {
    const cursors = Object.fromEntries(this.#names.map((name) => [name, this.till.cursors.get(name)?.cursor ?? null]));
    await this.#ask(fate, cursors, (device) => {
      device.cursors = new Map(
        Object.entries(cursors).flatMap(([name, cursor]) => (cursor === null ? [] : [[name, JSON.parse(cursor)]])),
      );
      return device.pull(this.#names, limit);
    });
    return this.#names.every((name) => this.till.cursors.get(name)?.remaining === undefined);
  }

  async #ask(
    fate: Fate,
    cursors: Answer["cursors"],
    request: (device: ReturnType<ServerWorld["till"]>) => Promise<PushOutcome | PullOutcome>,
  ): Promise<void> {
    if (fate === "request_lost") return;
    const epoch = this.till.point.epoch ?? "";
    const device = this.#world.till(this.#device, { branch: "main" });
    device.claim = { kind: "authentic", ...named(epoch) };
    device.marks = this.#marks;
    const answer = { outcome: await request(device), epoch, cursors };
    if (fate === "late") this.#late.push(answer);
    else if (fate === "answered") await this.#take(answer);
  }

  /** Delivers one of the answers that are late. */
  async deliver(which: number): Promise<void> {
    const [answer] = this.#late.splice(which % Math.max(1, this.#late.length), 1);
    if (answer !== undefined) await this.#take(answer);
  }

  async #take({ outcome, epoch, cursors }: Answer): Promise<void> {
    // The till follows another epoch by now.
    if (epoch !== this.till.point.epoch) return;
    if (outcome.kind === "restored") {
      const seen = Math.max(0, ...Object.values(this.#marks).map((mark) => mark?.position ?? 0));
      if (outcome.observed !== this.#world.epoch) return;
      const isKnown = (await this.#world.read({ kind: "epochs" })).some((known) => known.epoch === epoch);
      await this.#world.mint("restored", seen, isKnown ? undefined : named(epoch));
      return;
    }
    if (outcome.kind === "stale" && "collections" in outcome && outcome.collections !== undefined)
      return this.resync(...outcome.collections);
    if (outcome.kind === "stale") {
      this.till.follow(outcome.epoch);
      this.#marks = { push: undefined, pull: undefined };
      return;
    }
    if (outcome.kind !== "answered") throw new Error(`The server answered ${outcome.kind}`);
    if (!("pages" in outcome)) {
      this.till.receive(outcome.results, {}, outcome.moreResults);
      this.#marks = { ...this.#marks, push: outcome.mark };
      return;
    }
    const isAsked = this.#names.every((name) => (this.till.cursors.get(name)?.cursor ?? null) === cursors?.[name]);
    if (!isAsked) return;
    const pages = [...outcome.pages].map(([name, { changes: texts, cursor, more }]) => {
      const changes = texts.map((change): Change => JSON.parse(change));
      return [name, { changes, more, cursor: JSON.stringify(cursor), ...(more && { remaining: 1 }) }] as const;
    });
    this.till.receive(outcome.results, Object.fromEntries(pages));
    this.#marks = { ...this.#marks, pull: outcome.mark };
    this.#sweep();
  }

  /** Rows that a resync did not bring and that have no unfinished operations are removed [H10]. */
  #sweep(): void {
    for (const name of this.#names) {
      const generation = generationOf(this.till.point, name);
      const cursor = this.till.cursors.get(name);
      if (!cursor?.complete || cursor.generation !== generation) continue;
      for (const [subject, row] of this.till.rows)
        if (
          subject.startsWith(`${name}/`) &&
          row.generation < generation &&
          row.states === undefined &&
          row.version > 0
        )
          this.till.rows.delete(subject);
    }
  }

  /** What a refused pull causes, which happens only while no other pull is in progress. */
  resync(...collections: readonly string[]): void {
    this.#late = this.#late.filter(({ cursors }) => cursors === undefined);
    this.till.resync(...collections);
  }

  /** A minute has passed [H2]. */
  wake(): void {
    this.#decide((workspace) => workspace.unblock());
  }

  /** A person handles one item on the desk. Returns whether there was one. */
  settle(which: number, keep: "client" | "server"): boolean {
    const { till } = this;
    const open = [...till.operations.values()].filter((o) => isIn(o, "conflict", "rejected"));
    const operation = open[which % Math.max(1, open.length)];
    if (operation === undefined) return false;
    const siblings = [...till.operations.values()].filter((o) => o.transaction === operation.transaction);
    const conflict = isIn(operation, "conflict") ? till.conflicts.get(operation.status.conflictId) : undefined;
    this.#decide((workspace) => {
      const context = till.context();
      if (conflict) resolveByPerson(workspace, context, { conflict, operation, choice: keep, siblings });
      else supersede(workspace, context, operation, { action: "void" }, siblings);
    });
    return true;
  }

  #decide(decide: (workspace: Workspace) => void): void {
    const workspace = this.till.open();
    decide(workspace);
    this.till.commit(workspace);
  }

  /** Syncs until nothing waits, lies on a desk, or is still to be pulled. `each` is called after every answer. */
  async converge(each: () => void = () => {}): Promise<void> {
    for (let round = 0; round < 60; round += 1) {
      this.wake();
      const sent = await this.push(500, "answered");
      each();
      const isPulled = await this.pull(1_000, "answered");
      each();
      const settled = this.settle(round, round % 2 === 0 ? "client" : "server");
      const isWaitingStill = [...this.till.operations.values()].some(isWaiting);
      if (!sent && !settled && !isWaitingStill && isPulled) return;
    }
    throw new Error("It never became quiet");
  }
}
