/** What was written down apart from the store says of the store that was found. Pure. */
import type { StorageLoss } from "./registration.ts";

export interface Marker {
  /** When the store was made: what tells it from any other. A fork changes its incarnation, and not this. */
  readonly createdAt: number;
  /** The last sequence number that it has given out. */
  readonly sequence: number;
  /** How many of its operations the server had not taken. */
  readonly waiting: number;
}

/**
 * The marker is written after each commit, and reaches the disk when the browser likes (seconds later: a browser that is killed loses what it
 * wrote last). So it may lag behind its store, and is never ahead of it.
 */
export function lossBetween(marker: Marker | undefined, store: Marker): StorageLoss | undefined {
  if (marker === undefined) return undefined;
  const isSame = marker.createdAt === store.createdAt;
  if (isSame && marker.sequence <= store.sequence) return undefined;
  return isSame ? lossOf({ ...marker, waiting: marker.sequence - store.sequence }) : lossOf(marker);
}

/** All of a store is gone. */
export function lossOf({ sequence, waiting }: Marker): StorageLoss {
  return { lastKnownSequence: sequence, missing: waiting === 0 ? undefined : waiting };
}

/** `undefined` for what is no marker: anybody may write to the place where it lies. */
export function parseMarker(text: string | undefined): Marker | undefined {
  const [, createdAt, sequence, waiting] = /^(\d+) (\d+) (\d+)$/.exec(text ?? "") ?? [];
  if (createdAt === undefined) return undefined;
  return { createdAt: Number(createdAt), sequence: Number(sequence), waiting: Number(waiting) };
}

export function markerText({ createdAt, sequence, waiting }: Marker): string {
  return `${createdAt} ${sequence} ${waiting}`;
}
