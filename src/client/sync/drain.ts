/** The I/O of the loop: one request, one answer, one drain transaction. Every rule it follows is in decide/. (client) */

import { BLOCKED_RETRY_MS } from "../../protocol/constants.ts";
import type { Clock } from "../../shared/clock.ts";
import type { BatchLimit } from "../decide/batch-limit.ts";
import { afterRefusal, afterServerError, afterSuccess, fullBatch } from "../decide/batch-limit.ts";
import type { OffsetSample } from "../decide/clock-offset.ts";
import { sampleOf } from "../decide/clock-offset.ts";
import type { MintContext } from "../decide/mint.ts";
import type { BatchLimits, Selected } from "../decide/selection.ts";
import { toWire } from "../decide/wire.ts";
import type { Timing, Transport, TransportCall, TransportFailure } from "../ports/transport.ts";
import type { AnswerBinding, Answered, AnswerOutcome } from "../scripts/answer.ts";
import { applyAnswer } from "../scripts/answer.ts";
import { followEpoch, forkIdentity, restartCollections, storeRegistration } from "../scripts/identity.ts";
import { parkOperations } from "../scripts/park.ts";
import { selectNext } from "../scripts/select.ts";
import { sweepStep, wakeBlocked } from "../scripts/upkeep.ts";
import type { TillStore } from "../store.ts";
import type { CursorState, Identity, StoredOperation, SyncPoint } from "../stored.ts";
import { cursorKey, FIRST_CURSOR, IDENTITY, isWaiting, META, SYNC } from "../stored.ts";
import type { SyncEvent } from "./machine.ts";

export interface DrainDeps {
  readonly store: TillStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly batch: BatchLimits;
  /** The longest time between two looks at the outbox. */
  readonly intervalMs: number;
  readonly device: { readonly name?: string | undefined; readonly appVersion?: string | undefined };
  readonly inFlight: Set<string>;
  uuid(): string;
  context(): MintContext;
  notice(news: News): void;
}

/** What the drain finds out about the world. */
export type News =
  | { readonly kind: "contact"; readonly sample: OffsetSample }
  | { readonly kind: "identity"; readonly identity: Identity }
  | { readonly kind: "forked"; readonly before: Identity; readonly after: Identity }
  | { readonly kind: "epoch"; readonly from: string | undefined; readonly to: string; readonly replaying: number }
  | { readonly kind: "storage_lost"; readonly lastKnownSequence: number; readonly missing: number | undefined }
  | { readonly kind: "unauthorised"; readonly reason: "no_token" | "refused" }
  | { readonly kind: "moved"; readonly pushed: number; readonly pulled: number };

/** Rows of one pull page: the page is one transaction, and a sale must not wait long behind it. */
const PULL_LIMIT = 500;
const SCHEMA_FLOOR = 1;
/** Every push that finds nothing to send looks: a busy till must not send what is blocked along with each of its sales. */
const WAKE_PAUSE_MS = 15_000;

const RESTARTS_IN_A_ROW = 3;

export class Drain {
  readonly #deps: DrainDeps;
  #limit: BatchLimit;
  #round = 0;
  #wokenAt = 0;
  readonly #restarts = { register: 0, push: 0, pull: 0 };
  /** Units that the server keeps failing on, until when they are left out. Volatile: nothing is given up (L6). */
  readonly #setAside = new Map<string, number>();

  constructor(deps: DrainDeps) {
    this.#deps = deps;
    this.#limit = fullBatch(deps.batch.maxOperations);
  }

  async register(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    return this.#paced("register", await this.#register(fence, signal));
  }

  async push(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    return this.#paced("push", await this.#push(fence, signal));
  }

  async pull(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    return this.#paced("pull", await this.#pull(fence, signal));
  }

  /** A server that has the same lane start anew each time would be asked without a pause, for ever: from some time on it is failing. */
  #paced(lane: "register" | "push" | "pull", event: SyncEvent): SyncEvent {
    if (event.kind === "reregister") {
      this.#restarts[lane] += 1;
      return this.#restarts[lane] > RESTARTS_IN_A_ROW ? failed(lane, { kind: "server_error", status: 409 }) : event;
    }
    if (event.kind !== "failed") this.#restarts[lane] = 0;
    return event;
  }

  async #register(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    const { store, transport } = this.#deps;
    const [identity, point] = await this.#whoAndWhere();
    const result = await transport.register(
      {
        device: {
          id: identity.deviceId,
          incarnation: identity.incarnation,
          name: this.#deps.device.name,
          appVersion: this.#deps.device.appVersion,
        },
        schemaVersion: this.#schemaVersion(),
        ...(point.epoch !== undefined && { epoch: point.epoch, marks: point.marks }),
      },
      this.#call(identity, signal),
    );
    if (!result.ok) {
      if (isRevoked(result.failure) && point.epoch !== undefined) await this.#handOver(fence, signal);
      return this.#refused("register", result.failure, fence);
    }
    this.#contact(result);
    const { value } = result;
    if (
      (identity.tenant !== undefined && identity.tenant !== value.tenant) ||
      (identity.tenant !== undefined && identity.branch !== value.branch)
    ) {
      return failed("register", {
        kind: "refused",
        code: "wrong_workspace",
        status: 403,
        detail: "The token is for another shop than this store.",
      });
    }
    if (value.lastSequence > (await this.#sequence())) {
      // The server has seen numbers of this incarnation that the store has not given out: it was rolled back [C7].
      this.#deps.notice({
        kind: "storage_lost",
        lastKnownSequence: value.lastSequence,
        missing: value.lastSequence - (await this.#sequence()),
      });
      return this.#fork(fence);
    }
    this.#tellOfLostStore(identity, value.unsynced);
    const stored = await store.transact("register", "strict", [], () =>
      storeRegistration(fence, {
        tenant: value.tenant,
        branch: value.branch,
        number: value.device.number,
        epoch: value.epoch,
        mark: value.mark,
      }),
    );
    if (stored === undefined) return { kind: "lost" };
    this.#deps.notice({ kind: "identity", identity: stored.identity });
    if (stored.point.epoch !== value.epoch) return this.#follow(fence, value.epoch);
    return { kind: "registered" };
  }

  async #push(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    const { store, transport, batch, inFlight } = this.#deps;
    const limits = { maxOperations: this.#limit.operations, maxBytes: batch.maxBytes };
    const next = await store.transact("select", "relaxed", [], () =>
      selectNext({ limits, round: this.#round, skip: (o) => this.#isSetAside(o) }),
    );
    const { selected, identity, point } = next;
    if (selected.length === 0 || identity === undefined || point?.epoch === undefined) {
      return { kind: "pushed", more: await this.#wakeInTime() };
    }
    this.#round += 1;
    for (const { operation } of selected) inFlight.add(operation.id);
    try {
      const result = await transport.push(
        {
          device: { id: identity.deviceId, incarnation: identity.incarnation },
          epoch: point.epoch,
          marks: point.marks,
          operations: selected.map(toWire),
        },
        this.#call(identity, signal),
      );
      if (!result.ok) return await this.#pushRefused(result.failure, selected, fence);
      this.#contact(result);
      const binding = { fence, epoch: point.epoch, incarnation: identity.incarnation };
      const outcome = await this.#apply(binding, { ...result.value, serverTime: result.timing.serverTime });
      if (outcome.stale) return this.#stale(fence);
      const moved = outcome.happenings.filter((h) => h.kind !== "fault").length;
      const answered = new Set(result.value.results.map((r) => r.id));
      if (!selected.some(({ operation }) => answered.has(operation.id))) {
        // An answer that tells nothing of what it was asked would be asked again at once, for ever (no hot loop).
        return failed("push", { kind: "server_error", status: 200 });
      }
      this.#limit = afterSuccess(this.#limit, batch.maxOperations);
      this.#deps.notice({ kind: "moved", pushed: moved, pulled: 0 });
      return { kind: "pushed", more: true };
    } finally {
      for (const { operation } of selected) inFlight.delete(operation.id);
    }
  }

  async #pull(fence: number, signal: AbortSignal): Promise<SyncEvent> {
    const { store, transport } = this.#deps;
    const names = Object.keys(store.collections);
    const [identity, point] = await this.#whoAndWhere();
    if (point.epoch === undefined) return { kind: "reregister" };
    const cursors = Object.fromEntries(
      Object.entries(await this.#cursors(names)).map(([name, cursor]) => [name, cursor.cursor]),
    );
    const result = await transport.pull(
      {
        device: { id: identity.deviceId, incarnation: identity.incarnation },
        epoch: point.epoch,
        marks: point.marks,
        schemaVersion: this.#schemaVersion(),
        collections: cursors,
        limit: PULL_LIMIT,
      },
      this.#call(identity, signal),
    );
    if (!result.ok) return this.#refused("pull", result.failure, fence);
    this.#contact(result);
    const outcome = await this.#apply(
      { fence, epoch: point.epoch, incarnation: identity.incarnation, cursors },
      { ...result.value, serverTime: result.timing.serverTime },
    );
    if (outcome.stale) return this.#stale(fence);
    const pulled = Object.values(result.value.pages).reduce((sum, page) => sum + page.changes.length, 0);
    const moved = Object.entries(result.value.pages).some(
      ([name, page]) => page.changes.length > 0 || page.cursor !== cursors[name],
    );
    this.#deps.notice({ kind: "moved", pushed: 0, pulled });
    for (const [name, cursor] of Object.entries(outcome.cursors))
      if (cursor.sweep !== undefined) await this.#sweep(name, fence);
    // More, but nothing moved: the next tick asks again, not the next millisecond.
    return { kind: "pulled", more: moved && Object.values(result.value.pages).some((page) => page.more) };
  }

  /** A revoked device is not let in any more, but what it still holds is taken, into quarantine: its sales must end somewhere [H6] (L1). */
  async #handOver(fence: number, signal: AbortSignal): Promise<void> {
    let event: SyncEvent;
    do event = await this.push(fence, signal);
    while (event.kind === "pushed" && event.more && !signal.aborted);
  }

  /** The fence was taken, or another tab followed an epoch meanwhile: the former loses the turn, the latter looks again. */
  async #stale(fence: number): Promise<SyncEvent> {
    const [, point] = await this.#whoAndWhere();
    return point.fence === fence ? { kind: "reregister" } : { kind: "lost" };
  }

  #apply(binding: AnswerBinding, answer: Answered): Promise<AnswerOutcome> {
    const { store } = this.#deps;
    const context = this.#deps.context();
    const collections = Object.keys(store.collections);
    return store.transact(
      "answer",
      "relaxed",
      collections,
      () => applyAnswer(store.collections, context, binding, answer),
      (outcome) => (outcome.stale ? {} : outcome),
    );
  }

  async #pushRefused(failure: TransportFailure, selected: readonly Selected[], fence: number): Promise<SyncEvent> {
    const units = new Set(selected.map(({ operation }) => operation.group ?? operation.id)).size;
    if (failure.kind === "refused" && (failure.code === "malformed" || failure.code === "too_large")) {
      const { limit, single } = afterRefusal(selected.length, units);
      this.#limit = limit;
      if (single) await this.#park(selected, failure.code, failure.detail);
      return { kind: "pushed", more: true };
    }
    if (failure.kind === "server_error" && failure.status === 500) {
      const { limit, single } = afterServerError(this.#limit, selected.length, units);
      this.#limit = limit;
      if (single)
        for (const { operation } of selected)
          this.#setAside.set(operation.id, this.#deps.clock.monotonic() + BLOCKED_RETRY_MS);
    }
    return this.#refused("push", failure, fence);
  }

  async #refused(lane: "register" | "push" | "pull", failure: TransportFailure, fence: number): Promise<SyncEvent> {
    if (failure.kind === "unauthorised") this.#deps.notice({ kind: "unauthorised", reason: failure.reason });
    if (failure.kind !== "refused") return failed(lane, failure);
    if (failure.code === "identity_fork") return this.#fork(fence);
    if (failure.code === "resync_required") {
      const [, point] = await this.#whoAndWhere();
      if (failure.epoch !== undefined && failure.epoch !== point.epoch) return this.#follow(fence, failure.epoch);
      const { store } = this.#deps;
      const names = (failure.collections ?? Object.keys(store.collections)).filter((name) =>
        Object.hasOwn(store.collections, name),
      );
      const restarted = await store.transact(
        "resync",
        "strict",
        [],
        () => restartCollections(fence, names),
        (value) => (value ? { cursors: value.cursors, point: value.point } : {}),
      );
      return restarted === undefined ? { kind: "lost" } : { kind: "reregister" };
    }
    return failed(lane, failure);
  }

  async #follow(fence: number, epoch: string): Promise<SyncEvent> {
    const { store } = this.#deps;
    const collections = Object.keys(store.collections);
    const followed = await store.transact(
      "epoch",
      "strict",
      collections,
      () => followEpoch(store.collections, fence, epoch),
      (value) => value ?? {},
    );
    if (followed === undefined) return this.#stale(fence);
    this.#deps.notice({ kind: "epoch", from: followed.from, to: epoch, replaying: followed.replaying });
    return { kind: "reregister" };
  }

  async #fork(fence: number): Promise<SyncEvent> {
    const incarnation = this.#deps.uuid();
    const forked = await this.#deps.store.transact("fork", "strict", [], () => forkIdentity(fence, incarnation));
    if (forked === undefined) return { kind: "lost" };
    this.#deps.notice({ kind: "forked", ...forked });
    return { kind: "reregister" };
  }

  async #park(selected: readonly Selected[], code: string, message: string): Promise<void> {
    const { store } = this.#deps;
    const collections = [...new Set(selected.map(({ operation }) => operation.collection))];
    const ids = selected.map(({ operation }) => operation.id);
    await store.transact(
      "park",
      "strict",
      collections,
      () => parkOperations(store.collections, ids, { code, message }),
      (value) => value,
    );
  }

  async #sweep(collection: string, fence: number): Promise<void> {
    const { store } = this.#deps;
    let more = true;
    while (more)
      more = (
        await store.transact(
          "sweep",
          "relaxed",
          [collection],
          () => sweepStep(collection, fence),
          ({ changes }) => ({ changes }),
        )
      ).more;
  }

  /**
   * Wakes what is blocked when it has been a minute, or will have been at the next look, whatever was or was not heard [H2]. Answers
   * whether there is something to look at.
   */
  async #wakeInTime(): Promise<boolean> {
    const now = this.#deps.clock.monotonic();
    if (now - this.#wokenAt < Math.max(BLOCKED_RETRY_MS - this.#deps.intervalMs, WAKE_PAUSE_MS)) return false;
    this.#wokenAt = now;
    const { store } = this.#deps;
    const blocked = await store.transact("wake", "relaxed", [], wakeBlocked, (value) => ({ queue: value.queue }));
    return blocked.any;
  }

  #isSetAside(operation: StoredOperation): boolean {
    const until = this.#setAside.get(operation.id);
    if (until === undefined) return false;
    if (until > this.#deps.clock.monotonic() && isWaiting(operation)) return true;
    this.#setAside.delete(operation.id);
    return false;
  }

  /** A store that is new, of a device that is not: what the old store had not sent is gone [M11]. */
  #tellOfLostStore(
    identity: Identity,
    earlier: readonly { readonly lastSequence: number; readonly missing: number }[],
  ): void {
    if (identity.registered !== undefined || identity.forked || earlier.length === 0) return;
    const lastKnownSequence = Math.max(...earlier.map((e) => e.lastSequence));
    const missing = earlier.reduce((sum, e) => sum + e.missing, 0);
    this.#deps.notice({ kind: "storage_lost", lastKnownSequence, missing: missing === 0 ? undefined : missing });
  }

  #contact(result: { readonly timing: Timing }): void {
    const { clock } = this.#deps;
    const { serverTime, roundTripMs } = result.timing;
    this.#deps.notice({ kind: "contact", sample: sampleOf(serverTime, roundTripMs, clock.now(), clock.monotonic()) });
  }

  #call(identity: Identity, signal: AbortSignal): TransportCall {
    return { device: identity.deviceId, requestId: this.#deps.uuid(), signal };
  }

  #schemaVersion(): number {
    return Math.max(SCHEMA_FLOOR, ...Object.values(this.#deps.store.collections).map((c) => c.schemaVersion));
  }

  async #whoAndWhere(): Promise<readonly [Identity, SyncPoint]> {
    const [identity, point] = await this.#deps.store.get<unknown>(META, [IDENTITY, SYNC]);
    return [identity as Identity, point as SyncPoint];
  }

  async #sequence(): Promise<number> {
    const [queue] = await this.#deps.store.get<{ readonly sequence: number }>(META, ["queue"]);
    return queue?.sequence ?? 0;
  }

  async #cursors(names: readonly string[]): Promise<Readonly<Record<string, CursorState>>> {
    const stored = await this.#deps.store.get<CursorState>(META, names.map(cursorKey));
    return Object.fromEntries(names.map((name, index) => [name, stored[index] ?? FIRST_CURSOR]));
  }
}

function isRevoked(failure: TransportFailure): boolean {
  return failure.kind === "refused" && failure.code === "device_revoked";
}

function failed(lane: "register" | "push" | "pull", failure: TransportFailure): SyncEvent {
  return { kind: "failed", lane, failure };
}
