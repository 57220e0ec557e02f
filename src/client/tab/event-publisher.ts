/** Turns commits and news into the typed events of the client. Holds no rule of its own. */
import type { CollectionMap } from "../../schema/types.ts";
import { verdictOf } from "../app/settlement.ts";
import { SKEW_MS } from "../decide/clock-offset.ts";
import { conflictView, operationView } from "../decide/desk-view.ts";
import { recordOf } from "../decide/record.ts";
import type { StoredOperation } from "../state/stored.ts";
import type { Committed, TillStore } from "../store/local-store.ts";
import type { News } from "../sync/call-context.ts";
import type { SyncEvents } from "../types/events.ts";
import type { Known } from "./client-state.ts";
import type { Emitter } from "./emitter.ts";

type Events = SyncEvents<CollectionMap>;

export class Announcer {
  readonly #emitter: Emitter<Events>;
  readonly #store: TillStore;
  readonly #known: Known;
  readonly #inFlight: ReadonlySet<string>;
  #skewed = false;

  constructor(emitter: Emitter<Events>, store: TillStore, known: Known, inFlight: ReadonlySet<string>) {
    this.#emitter = emitter;
    this.#store = store;
    this.#known = known;
    this.#inFlight = inFlight;
  }

  commit(commit: Committed): void {
    const queued: StoredOperation[] = [];
    for (const happening of commit.happenings ?? []) {
      switch (happening.kind) {
        case "queued":
          queued.push(happening.operation);
          break;
        case "applied":
          this.#applied(happening.operation, commit);
          break;
        case "rejected":
        case "quarantined":
          this.#emitter.emit(happening.kind, {
            operation: operationView(happening.operation, this.#inFlight),
            reason: verdictOf(happening.operation),
          });
          break;
        case "conflict":
          this.#emitter.emit("conflict", conflictView(happening.conflict, this.#store.collections));
          break;
        case "fault":
          this.#emitter.fail(happening.error, "A conflict resolver failed; its conflict was left to people.");
      }
    }
    if (queued.length > 0)
      this.#emitter.emit("queued", { operations: queued.map((operation) => operationView(operation, this.#inFlight)) });
    // Rows come with answers only: another epoch moves cursors and changes rows too, and brings none.
    for (const collection of Object.keys((commit.happenings && commit.cursors) ?? {})) {
      const ids = (commit.changes ?? []).filter((change) => change.collection === collection).map(({ id }) => id);
      if (ids.length > 0) this.#emitter.emit("pulled", { collection, ids });
    }
  }

  news(news: News): void {
    switch (news.kind) {
      case "contact":
        this.#skew();
        return;
      case "forked":
        this.#emitter.emit("identity_forked", {
          oldIncarnation: news.before.incarnation,
          newIncarnation: news.after.incarnation,
        });
        return;
      case "epoch":
        if (news.from !== undefined)
          this.#emitter.emit("epoch_changed", { from: news.from, to: news.to, replaying: news.replaying });
        return;
      case "storage_lost":
        this.#emitter.emit("storage_lost", { lastKnownSequence: news.lastKnownSequence, missing: news.missing });
        return;
      default:
        return;
    }
  }

  #applied(operation: StoredOperation, commit: Committed): void {
    const { collection, entityId } = operation;
    const data = commit.changes?.find((change) => change.collection === collection && change.id === entityId)?.after
      .data;
    const record = data && recordOf(entityId, data);
    this.#emitter.emit("applied", {
      collection,
      id: entityId,
      record,
      flags: operation.flags ?? [],
      operationId: operation.id,
    } as Events["applied"]);
  }

  /** Once, when the clock is found wrong; again only after it has been right. */
  #skew(): void {
    const { offsetMs, confidence } = this.#known.offset;
    const skewed = confidence === "high" && Math.abs(offsetMs) > SKEW_MS;
    if (skewed && !this.#skewed) this.#emitter.emit("skew", { offsetMs });
    this.#skewed = skewed;
  }
}
