/**
 * What register, push and pull share: the identity and the sync point, applying an answer, and what a refusal leads to.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { Clock } from "../../shared/clock.ts";
import { sampleOf } from "../decide/clock-offset.ts";
import type { MintContext } from "../decide/mint.ts";
import type { RequestSize } from "../decide/request-size.ts";
import { type MachineEvent, responseTo } from "../decide/sync-machine.ts";
import type { SyncNotice } from "../decide/sync-notice.ts";
import type { Timing, Transport, TransportCall, TransportFailure } from "../ports/transport.ts";
import { type AnswerBinding, type AnswerResult, type AppliedAnswer, applyAnswer } from "../scripts/answer.ts";
import { schemasOf } from "../scripts/app-versions.ts";
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
  /** The context of decisions that no person makes. */
  context(): MintContext;
  /** Whether the platform refuses to give more space. */
  full(): boolean;
  /** The best estimate of the server's clock minus the till's, in ms. */
  offsetMs(): number;
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

  /** Whether the platform refuses to give more space. */
  get isFull(): boolean {
    return this.#deps.full();
  }

  notice(notice: SyncNotice): void {
    this.#deps.notice(notice);
  }

  /** The collections that the app has. */
  get names(): readonly string[] {
    return Object.keys(this.store.collections);
  }

  /**
   * The schema version of the app as it is now: the highest of its collections. Each operation carries its own [H7].
   */
  get schemaVersion(): number {
    return Math.max(1, ...Object.values(this.store.collections).map((c) => c.schemaVersion));
  }

  /** The schema version of each collection. */
  get schemaVersions(): Readonly<Record<string, number>> {
    return schemasOf(this.store.collections);
  }

  /** The identity of the store and its sync point. */
  async whoAndWhere(): Promise<readonly [Identity, SyncPoint]> {
    const [identity, point] = await this.store.get<unknown>(META, [IDENTITY, SYNC]);
    return [identity as Identity, point as SyncPoint];
  }

  transportCall(identity: Identity, signal: AbortSignal): TransportCall {
    return { device: identity.deviceId, requestId: this.#deps.uuid(), signal };
  }

  /** What a request asks of its answer if the line is slow. */
  answerBound({ bytes, patienceMs }: RequestSize): { readonly limitBytes?: number } {
    return patienceMs === undefined ? {} : { limitBytes: Math.min(bytes, LIMITS.pullBytes) };
  }

  /** Reports that the server has answered, with a sample of its clock. */
  contact({ serverTime, roundTripMs }: Timing): void {
    const { clock } = this;
    this.notice({ kind: "contact", sample: sampleOf(serverTime, roundTripMs, clock.now(), clock.monotonic()) });
  }

  /** Applies an answer, unless it is stale by now. */
  apply(binding: AnswerBinding, answer: AppliedAnswer): Promise<AnswerResult> {
    const { store } = this;
    const context = this.#deps.context();
    return store.transact(
      "answer",
      // The server would send it again, so `relaxed` is enough. But once space has run out, only strict transactions
      // may use what is left.
      this.isFull ? "strict" : "relaxed",
      this.names,
      () => applyAnswer(store.collections, context, binding, { ...answer, offsetMs: this.#deps.offsetMs() }),
      (outcome) => (outcome.stale ? {} : outcome),
    );
  }

  /**
   * What a stale answer leads to: if the fence was taken, the turn is lost; if another tab has followed an epoch in the
   * meantime, the store registers again.
   */
  async stale(fence: number): Promise<MachineEvent> {
    const [, point] = await this.whoAndWhere();
    return point.fence === fence ? { kind: "reregister" } : { kind: "lost" };
  }

  /** What a failed request leads to. */
  async afterFailure(lane: Call, failure: TransportFailure, fence: number): Promise<MachineEvent> {
    if (responseTo(failure).cause === "auth_required") {
      // A refusal by code, such as `device_mismatch`, is about a token that the server has read.
      this.notice({ kind: "unauthorised", reason: failure.kind === "unauthorised" ? failure.reason : "refused" });
    }
    if (failure.kind !== "refused") return failed(lane, failure);
    if (failure.code === "identity_fork") return this.fork(fence);
    if (failure.code === "resync_required") return this.#resync(failure, fence);
    if (failure.code === "device_revoked") {
      // A revoked device learns only here that the server has lost what it had acknowledged. It sends that again too
      // [H6] [C8].
      const [, point] = await this.whoAndWhere();
      if (isElsewhere(failure, point)) return this.follow(fence, failure.epoch);
    }
    return failed(lane, failure);
  }

  /** The server has another history: moves the journal back into the outbox [C8]. */
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

  /** Another store has used this incarnation, so this store continues under a new one [C7]. */
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

/** Whether the refusal names another epoch than the one that the store follows. */
export function isElsewhere(failure: TransportFailure, point: SyncPoint): failure is Refusal & { epoch: string } {
  return failure.kind === "refused" && failure.epoch !== undefined && failure.epoch !== point.epoch;
}

export function failed(lane: Call, failure: TransportFailure): MachineEvent {
  return { kind: "failed", lane, failure };
}
