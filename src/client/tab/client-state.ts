/** What the client keeps in memory of its store. It is read when the store opens, and updated by every commit. */
import type { Clock } from "../../shared/clock.ts";
import type { AnyTillSyncError } from "../../shared/errors.ts";
import { deepEqual, type JsonObject } from "../../shared/json.ts";
import {
  addSample,
  bestOffset,
  bestSample,
  type ClockOffset,
  type OffsetSample,
  rememberedOffset,
} from "../decide/clock-offset.ts";
import { isPulled } from "../decide/status.ts";
import type { StorageEstimate } from "../ports/storage.ts";
import {
  type CursorState,
  EMPTY_QUEUE,
  FIRST_CURSOR,
  FIRST_SYNC_POINT,
  type Identity,
  type QueueState,
  type SyncPoint,
} from "../state/meta.ts";
import type { Commit, StoreSnapshot } from "../store/local-store.ts";

export class ClientState {
  identity: Identity | undefined;
  queue: QueueState = EMPTY_QUEUE;
  point: SyncPoint = FIRST_SYNC_POINT;
  cursors: Readonly<Record<string, CursorState>>;
  storage: StorageEstimate | undefined;
  opened: "not" | "opening" | "open" | "closed" = "not";
  /** Why the store can't be used, until it can be again. */
  failure: AnyTillSyncError | undefined;
  /** Whether the server has answered since the client was created. */
  contacted = false;
  #samples: readonly OffsetSample[] = [];
  /** From the store as it was when it was opened. Not read anew, because time would stand still with an old answer. */
  #remembered: ClockOffset | undefined;
  readonly #clock: Clock;

  constructor(collections: readonly string[], clock: Clock) {
    this.cursors = Object.fromEntries(collections.map((name) => [name, FIRST_CURSOR]));
    this.#clock = clock;
  }

  /** Epoch ms, by this device's clock as corrected by the server's. */
  now(): number {
    return this.#clock.now() + this.offset.offsetMs;
  }

  /** The best estimate of the server's clock. */
  get offset(): ClockOffset {
    return bestOffset(this.#samples, this.#remembered);
  }

  /** The sample on which `offset` is based. */
  get sample(): OffsetSample | undefined {
    return bestSample(this.#samples);
  }

  /** The server has answered. */
  contact(sample: OffsetSample): void {
    this.contacted = true;
    this.#samples = addSample(this.#samples, sample);
  }

  /** Whether the first pull of the collection is over. */
  isPulled(collection: string): boolean {
    return isPulled(this.cursors[collection] ?? FIRST_CURSOR);
  }

  /** Commits arrive in their order, so each queue state is the one after its transaction. */
  apply(commit: Commit): void {
    if (commit.identity) this.identity = commit.identity;
    if (commit.queue) this.queue = commit.queue;
    if (commit.point) {
      this.point = commit.point;
      this.#remembered ??= rememberedOffset(commit.point, this.#clock.now());
    }
    if (commit.cursors) this.cursors = { ...this.cursors, ...commit.cursors };
  }

  /** Whether the store is as this client has it in memory. */
  matches({ queue, point, cursors }: StoreSnapshot): boolean {
    const here = { queue: this.queue, point: this.point, cursors: this.cursors };
    return deepEqual(here as unknown as JsonObject, { queue, point, cursors } as unknown as JsonObject);
  }
}
