/** A reader that follows writers, which take a position and pause before they commit: does it see all of them? */
import { ask, type ServerStore } from "../../../src/server/ports/store.ts";
import { SHOP } from "../../../src/server/testing/calls.ts";
import { clockRow, recordRow } from "../../../src/server/testing/rows.ts";

/** Long enough that another one comes in between, and different each time: 0 to 8 ms. */
export const pauseMs = (turn: number) => (turn * 5) % 9;

/** Reads what is behind the last position it has seen, until the writers are through, and once more. */
export async function followed(
  read: (after: number) => Promise<readonly number[]>,
  writing: Promise<unknown>,
): Promise<readonly number[]> {
  let isWriting = true;
  const over = writing.finally(() => {
    isWriting = false;
  });
  // Told below.
  over.catch(() => {});
  const seen: number[] = [];
  const follow = async () => seen.push(...(await read(seen.at(-1) ?? 0)));
  while (isWriting) await follow();
  await over;
  await follow();
  return seen;
}

/** The feed of a store, page by page as a pull reads it. */
export const feedOf = (store: ServerStore) => (after: number) =>
  store.read(SHOP, function* () {
    const bounds = { after, upTo: Number.MAX_SAFE_INTEGER, limit: 50, bytes: Number.MAX_SAFE_INTEGER } as const;
    const { entries } = yield* ask({ kind: "changes", collection: "products", scopes: "all", ...bounds });
    return entries.map(({ row }) => row.version);
  });

/** One row under the next position. */
export function writeNext(store: ServerStore, name: string): Promise<number> {
  return store.transact(SHOP, function* () {
    const clock = yield* ask({ kind: "clock" });
    const next = (clock?.position ?? 0) + 1;
    return {
      value: next,
      writes: { clock: clockRow(next, { lastId: name }), records: [recordRow(`row-${next}`, next)] },
    };
  });
}
