/** The marker beside the store: a few bytes outside of the database, by which a lost or older store is noticed [M11]. */
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

  /** What was lost if all of the store is gone. */
  get wholeLoss(): StorageLoss {
    return lossOf(this.#current());
  }

  /** Compares the store that was found with the one that was left, and returns what is missing. */
  check(): StorageLoss | undefined {
    return lossBetween(parseMarker(this.#storage.marker?.read(this.#name)), this.#current());
  }

  /** Writes what a commit has changed. Cheap if nothing has. */
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
