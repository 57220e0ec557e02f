/** What the three calls have in common: who asks, how an answer is applied, and what a refusal leads to. */
import type { Clock } from "../../shared/clock.ts";
import { sampleOf } from "../decide/clock-offset.ts";
import type { MintContext } from "../decide/mint.ts";
import type { MachineEvent } from "../decide/sync-machine.ts";
import type { SyncNotice } from "../decide/sync-notice.ts";
import type { Timing, Transport, TransportCall, TransportFailure } from "../ports/transport.ts";
import { type AnswerBinding, type AnswerResult, type AppliedAnswer, applyAnswer } from "../scripts/answer.ts";
import { followEpoch, forkIdentity, restartCollections } from "../scripts/identity.ts";
import { IDENTITY, type Identity, SYNC, type SyncPoint } from "../state/meta.ts";
import { META } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";

export type Call = "register" | "push" | "pull";

export interface CallContextDeps {
  readonly store: LocalStore;
  readonly transport: Transport;
  readonly clock: Clock;
  uuid(): string;
  context(): MintContext;
  /** The platform gives no more space. */
  full(): boolean;
  notice(notice: SyncNotice): void;
}

type Refusal = Extract<TransportFailure, { kind: "refused" }>;

export class CallContext {
  readonly store: LocalStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly #deps: CallContextDeps;

  constructor(deps: CallContextDeps) {
    this.#deps = deps;
    this.store = deps.store;
    this.transport = deps.transport;
    this.clock = deps.clock;
  }

  /** Whether the platform gives no more space. */
  get isFull(): boolean {
    return this.#deps.full();
  }

  notice(notice: SyncNotice): void {
    this.#deps.notice(notice);
  }

  get names(): readonly string[] {
    return Object.keys(this.store.collections);
  }

  /** Of the app as it is: the highest of its collections'. Each operation says its own [H7]. */
  get schemaVersion(): number {
    return Math.max(1, ...Object.values(this.store.collections).map((c) => c.schemaVersion));
  }

  async whoAndWhere(): Promise<readonly [Identity, SyncPoint]> {
    const [identity, point] = await this.store.get<unknown>(META, [IDENTITY, SYNC]);
    return [identity as Identity, point as SyncPoint];
  }

  transportCall(identity: Identity, signal: AbortSignal): TransportCall {
    return { device: identity.deviceId, requestId: this.#deps.uuid(), signal };
  }

  contact({ serverTime, roundTripMs }: Timing): void {
    const { clock } = this;
    this.notice({ kind: "contact", sample: sampleOf(serverTime, roundTripMs, clock.now(), clock.monotonic()) });
  }

  apply(binding: AnswerBinding, answer: AppliedAnswer): Promise<AnswerResult> {
    const { store } = this;
    const context = this.#deps.context();
    return store.transact(
      "answer",
      // What it holds could be had again; but where space has run out, only what is strict may have the rest of it.
      this.isFull ? "strict" : "relaxed",
      this.names,
      () => applyAnswer(store.collections, context, binding, answer),
      (outcome) => (outcome.stale ? {} : outcome),
    );
  }

  /** The fence was taken, or another tab followed an epoch meanwhile: the former loses the turn, the latter looks again. */
  async stale(fence: number): Promise<MachineEvent> {
    const [, point] = await this.whoAndWhere();
    return point.fence === fence ? { kind: "reregister" } : { kind: "lost" };
  }

  async refused(lane: Call, failure: TransportFailure, fence: number): Promise<MachineEvent> {
    if (failure.kind === "unauthorised") this.notice({ kind: "unauthorised", reason: failure.reason });
    if (failure.kind !== "refused") return failed(lane, failure);
    if (failure.code === "identity_fork") return this.fork(fence);
    if (failure.code === "resync_required") return this.#resync(failure, fence);
    if (failure.code === "device_revoked") {
      // Nothing else tells it that the server has lost what it had acknowledged: that goes to the server again, too [H6] [C8].
      const [, point] = await this.whoAndWhere();
      if (isElsewhere(failure, point)) return this.follow(fence, failure.epoch);
    }
    return failed(lane, failure);
  }

  /** Another history on the server: the journal goes back into the outbox [C8]. */
  async follow(fence: number, epoch: string): Promise<MachineEvent> {
    const { store } = this;
    const followed = await store.transact(
      "epoch",
      "strict",
      this.names,
      () => followEpoch(store.collections, fence, epoch),
      (value) => value ?? {},
    );
    if (followed === undefined) return this.stale(fence);
    this.notice({ kind: "epoch", from: followed.from, to: epoch, replaying: followed.replaying });
    return { kind: "reregister" };
  }

  /** Another store has counted under this incarnation: this one goes on under a new one [C7]. */
  async fork(fence: number): Promise<MachineEvent> {
    const incarnation = this.#deps.uuid();
    const forked = await this.store.transact("fork", "strict", [], () => forkIdentity(fence, incarnation));
    if (forked === undefined) return { kind: "lost" };
    this.notice({ kind: "forked", ...forked });
    return { kind: "reregister" };
  }

  async #resync(failure: Refusal, fence: number): Promise<MachineEvent> {
    const [, point] = await this.whoAndWhere();
    if (isElsewhere(failure, point)) return this.follow(fence, failure.epoch);
    const names = failure.collections?.filter((name) => this.names.includes(name)) ?? this.names;
    const restarted = await this.store.transact(
      "resync",
      "strict",
      [],
      () => restartCollections(fence, names),
      (value) => value ?? {},
    );
    return restarted === undefined ? { kind: "lost" } : { kind: "reregister" };
  }
}

/** The refusal names another epoch than the one that is followed here. */
export function isElsewhere(failure: TransportFailure, point: SyncPoint): failure is Refusal & { epoch: string } {
  return failure.kind === "refused" && failure.epoch !== undefined && failure.epoch !== point.epoch;
}

export function failed(lane: Call, failure: TransportFailure): MachineEvent {
  return { kind: "failed", lane, failure };
}
