/** Compares the marker, which is stored outside of the database, with the store that was found. Pure. */
import type { StorageLoss } from "./registration.ts";

export interface Marker {
  /** When the store was created, in epoch ms. It identifies the store: a fork changes the incarnation, but not this. */
  readonly createdAt: number;
  /** The last sequence number that the store has given out. */
  readonly sequence: number;
  /** How many of its operations were waiting for the server. */
  readonly waiting: number;
}

/**
 * What the marker shows to be missing from the store; `undefined` if nothing is. The marker is written after each
 * commit, and the browser writes it to disk when it likes: a browser that is killed loses the last seconds. So the
 * marker may lag behind its store, but is never ahead of it.
 */
export function lossBetween(marker: Marker | undefined, store: Marker): StorageLoss | undefined {
  if (marker === undefined) return undefined;
  const isSame = marker.createdAt === store.createdAt;
  if (isSame && marker.sequence <= store.sequence) return undefined;
  return isSame ? lossOf({ ...marker, waiting: marker.sequence - store.sequence }) : lossOf(marker);
}

/** The loss if the whole store is gone. */
export function lossOf({ sequence, waiting }: Marker): StorageLoss {
  return { lastKnownSequence: sequence, missing: waiting === 0 ? undefined : waiting };
}

/** `undefined` if the text is not a marker: any code may write to the place where it is stored. */
export function parseMarker(text: string | undefined): Marker | undefined {
  const [, createdAt, sequence, waiting] = /^(\d+) (\d+) (\d+)$/.exec(text ?? "") ?? [];
  if (createdAt === undefined) return undefined;
  return { createdAt: Number(createdAt), sequence: Number(sequence), waiting: Number(waiting) };
}

export function markerText({ createdAt, sequence, waiting }: Marker): string {
  return `${createdAt} ${sequence} ${waiting}`;
}
