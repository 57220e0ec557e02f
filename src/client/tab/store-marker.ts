/**
 * The marker beside the store: a few bytes outside of the database, which reveal that a store was lost or replaced by
 * an older state [M11].
 */
import { lossBetween, lossOf, type Marker, markerText, parseMarker } from "../decide/marker.ts";
import type { StorageLoss } from "../decide/registration.ts";
import { waitingCount } from "../decide/status.ts";
import type { StorageAdapter } from "../ports/storage.ts";
import type { ClientState } from "./client-state.ts";

export class StoreMarker {
  readonly #storage: StorageAdapter;
  readonly #name: string;
  readonly #clientState: ClientState;
  #written: string | undefined;

  constructor(storage: StorageAdapter, name: string, clientState: ClientState) {
    this.#storage = storage;
    this.#name = name;
    this.#clientState = clientState;
  }

  /** The loss if the whole store is gone. */
  get wholeLoss(): StorageLoss {
    return lossOf(this.#current());
  }

  /** Compares the store that was opened with the marker, and returns what is missing. */
  check(): StorageLoss | undefined {
    return lossBetween(parseMarker(this.#storage.marker?.read(this.#name)), this.#current());
  }

  /** Writes the marker if a commit has changed it. */
  write(): void {
    const text = markerText(this.#current());
    if (text !== this.#written) this.#storage.marker?.write(this.#name, text);
    this.#written = text;
  }

  #current(): Marker {
    const { identity, queue } = this.#clientState;
    return { createdAt: identity?.createdAt ?? 0, sequence: queue.sequence, waiting: waitingCount(queue) };
  }
}
