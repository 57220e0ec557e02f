/** Turns commits and sync notices into the typed events of the client. It holds no rule of its own. */
import type { CollectionMap } from "../../schema/types.ts";
import { SKEW_MS } from "../decide/clock-offset.ts";
import { conflictView, operationView, verdictOf } from "../decide/desk-view.ts";
import { recordOf } from "../decide/record.ts";
import type { SyncNotice } from "../decide/sync-notice.ts";
import type { OperationIn, StoredOperation } from "../state/operation.ts";
import type { Commit, LocalStore } from "../store/local-store.ts";
import type { SyncEvents } from "../types/events.ts";
import type { ClientState } from "./client-state.ts";
import type { Emitter } from "./emitter.ts";

type Events = SyncEvents<CollectionMap>;

export class EventPublisher {
  readonly #emitter: Emitter<Events>;
  readonly #store: LocalStore;
  readonly #clientState: ClientState;
  readonly #inFlight: ReadonlySet<string>;
  #skewed = false;

  constructor(emitter: Emitter<Events>, store: LocalStore, known: ClientState, inFlight: ReadonlySet<string>) {
    this.#emitter = emitter;
    this.#store = store;
    this.#clientState = known;
    this.#inFlight = inFlight;
  }

  /** Emits the events of a commit. */
  commit(commit: Commit): void {
    const queued: StoredOperation[] = [];
    for (const event of commit.events ?? []) {
      switch (event.kind) {
        case "queued":
          queued.push(event.operation);
          break;
        case "applied":
          this.#applied(event.operation, commit);
          break;
        case "rejected":
        case "quarantined":
          this.#emitter.emit(event.kind, {
            operation: operationView(event.operation, this.#inFlight),
            reason: verdictOf(event.operation.status.error),
          });
          break;
        case "conflict":
          this.#emitter.emit("conflict", conflictView(event.conflict, this.#store.collections));
          break;
        case "fault":
          this.#emitter.fail(event.error, "A conflict resolver failed; its conflict was left to people.");
      }
    }
    if (queued.length > 0)
      this.#emitter.emit("queued", { operations: queued.map((operation) => operationView(operation, this.#inFlight)) });
    // Only answers bring rows. Following another epoch changes cursors and rows too, but has no `events` and pulls
    // nothing.
    for (const collection of Object.keys((commit.events && commit.cursors) ?? {})) {
      const ids = (commit.changes ?? []).filter((change) => change.collection === collection).map(({ id }) => id);
      if (ids.length > 0) this.#emitter.emit("pulled", { collection, ids });
    }
  }

  /** Emits the event of a notice, if it has one. */
  notice(notice: SyncNotice): void {
    switch (notice.kind) {
      case "contact":
        this.#skew();
        return;
      case "forked":
        this.#emitter.emit("identity_forked", {
          oldIncarnation: notice.before.incarnation,
          newIncarnation: notice.after.incarnation,
        });
        return;
      case "epoch":
        if (notice.from !== undefined)
          this.#emitter.emit("epoch_changed", { from: notice.from, to: notice.to, replaying: notice.replaying });
        return;
      case "storage_lost":
        this.#emitter.emit("storage_lost", { lastKnownSequence: notice.lastKnownSequence, missing: notice.missing });
        return;
      default:
        return;
    }
  }

  #applied(operation: OperationIn<"applied">, commit: Commit): void {
    const { collection, entityId } = operation;
    const data = commit.changes?.find((change) => change.collection === collection && change.id === entityId)?.after
      .data;
    const record = data && recordOf(entityId, data);
    this.#emitter.emit("applied", {
      collection,
      id: entityId,
      record,
      flags: operation.status.flags ?? [],
      operationId: operation.id,
    } as Events["applied"]);
  }

  /** Emits `skew` once when the clock is found to be wrong, and again only after it was right. */
  #skew(): void {
    const { offsetMs, confidence } = this.#clientState.offset;
    const skewed = confidence === "high" && Math.abs(offsetMs) > SKEW_MS;
    if (skewed && !this.#skewed) this.#emitter.emit("skew", { offsetMs });
    this.#skewed = skewed;
  }
}
