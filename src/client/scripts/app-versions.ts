/** What an update or a rollback of the app means for its store [H7]. It runs when the store is opened. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { StorageScript, StorageWrite } from "../ports/storage.ts";
import { FIRST_SYNC_POINT, nextGenerations, SCHEMAS, type Schemas, SYNC } from "../state/meta.ts";
import type { UnfinishedState } from "../state/operation.ts";
import { META, STATE_INDEX, stateRange } from "../state/tables.ts";
import { restart, storedCursors } from "./identity.ts";
import { loadWorkspace } from "./load.ts";
import { ask, meta, operationsIn } from "./reads.ts";

/** The schema version of each collection that the app has. */
export function schemasOf(collections: ResolvedCollections): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(collections).map(([name, { schemaVersion }]) => [name, schemaVersion]));
}

/** Whether the store was last opened by an app with these versions. */
export function isNoted(known: Schemas | undefined, collections: ResolvedCollections): boolean {
  return Object.entries(schemasOf(collections)).every(([name, version]) => known?.[name] === version);
}

/** The collections that the app before had in another schema version. */
export function changedSchemas(before: Schemas | undefined, collections: ResolvedCollections): readonly string[] {
  return Object.entries(schemasOf(collections)).flatMap(([name, version]) => {
    const known = before?.[name];
    return known === undefined || known === version ? [] : [name];
  });
}

const RESTATED_PER_STEP = 100;

/**
 * One bounded step of writing the rows on which something is unfinished in the version of this app. Now the records are
 * still there as the edits met them; later a pull may replace them. Returns the sequence number after which the next
 * step begins; `undefined` if it was the last one.
 */
export function* restateStep(
  collections: ResolvedCollections,
  changed: readonly string[],
  state: UnfinishedState,
  after: number,
): StorageScript<number | undefined> {
  const range = { ...stateRange(state), lower: [state, after], lowerOpen: true };
  const [found] = yield* ask([operationsIn(STATE_INDEX, range, RESTATED_PER_STEP)]);
  const targets = found.map(({ value }) => value).filter(({ collection }) => changed.includes(collection));
  const { workspace } = yield* loadWorkspace(collections, { targets });
  for (const { collection, entityId } of targets) workspace.touch(collection, entityId);
  const last = found.at(-1)?.value.sequence;
  return { value: found.length < RESTATED_PER_STEP ? undefined : last, writes: workspace.finish().writes };
}

/**
 * Notes the versions of this app. Rows that a newer app has written can't be read by an older one, so their collections
 * are pulled again from the start.
 */
export function* noteSchemas(collections: ResolvedCollections): StorageScript<void> {
  const [[known, point = FIRST_SYNC_POINT]] = yield* ask([meta(SCHEMAS, SYNC)]);
  // Another tab may have noted them in the meantime.
  if (isNoted(known, collections)) return { value: undefined, writes: [] };
  const schemas = { ...known, ...schemasOf(collections) };
  const writes: StorageWrite[] = [{ kind: "put", table: META, key: SCHEMAS, value: schemas }];
  const lowered = changedSchemas(known, collections).filter((name) => (known?.[name] ?? 1) > (schemas[name] ?? 1));
  if (lowered.length > 0) {
    const next = nextGenerations(point, lowered);
    writes.push({ kind: "put", table: META, key: SYNC, value: next }, ...storedCursors(yield* restart(lowered, next)));
  }
  return { value: undefined, writes };
}
