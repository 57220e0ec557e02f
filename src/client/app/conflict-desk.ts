/** The desk of conflicts: edits that lost against another device, and how people resolve them. */
import { copyPatch } from "../../schema/patch.ts";
import type { Choice } from "../decide/conflict.ts";
import { readAgain } from "../decide/conflict-sides.ts";
import { conflictView } from "../decide/desk-view.ts";
import { resolveConflict } from "../scripts/desk-actions.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { CONFLICTS, OPERATIONS, STATE_INDEX, stateRange } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { Conflict, ConflictDesk } from "../types/desks.ts";
import { type DeskDeps, keeping, unlessSame } from "./desk-lists.ts";
import { live } from "./live.ts";

/** The `conflicts` of a client. */
export function createConflictDesk({ store, writer, feed }: DeskDeps): ConflictDesk<never> {
  const list = async (
    filter: {
      collection?: string | undefined;
      state?: "open" | "settled" | undefined;
      limit?: number | undefined;
    } = {},
  ): Promise<readonly Conflict[]> => {
    const scanned = await store.scan<StoredConflict>(CONFLICTS, {
      index: STATE_INDEX,
      range: stateRange(filter.state ?? "open"),
    });
    const found = scanned
      .map(({ value }) => value)
      .filter((c) => filter.collection === undefined || c.collection === filter.collection);
    return views(store, found.slice(0, filter.limit));
  };
  const desk = {
    list,
    async get(id: string): Promise<Conflict | undefined> {
      const [conflict] = await store.get<StoredConflict>(CONFLICTS, [id]);
      return conflict && (await views(store, [conflict]))[0];
    },
    live: () =>
      live<readonly Conflict[]>(
        {
          initial: [],
          read: async (before) => unlessSame(before, await list()),
          failed: keeping(feed),
          subscribe: (changed) =>
            feed.subscribe(
              ({ events, changes: rows, changedElsewhere }) =>
                (events?.length || rows?.length || changedElsewhere) && changed(),
            ),
        },
        feed.reportError,
      ),
    async resolve(
      conflict: { readonly id: string },
      choice: Choice,
      options: { actor?: string | undefined; note?: string | undefined } = {},
    ): Promise<void> {
      const context = writer.context(options.actor);
      const copy = typeof choice === "string" ? choice : { merged: copyPatch(choice.merged) };
      await writer.commit(Object.keys(store.collections), () =>
        resolveConflict(store.collections, context, conflict.id, copy, options.note),
      );
    },
  };
  return desk as unknown as ConflictDesk<never>;
}

/** Conflicts as they are shown. Those that could not be read when they came are read again: the app may be another one. */
async function views(
  store: Pick<LocalStore, "collections" | "get">,
  conflicts: readonly StoredConflict[],
): Promise<readonly Conflict[]> {
  const { collections } = store;
  const unread = conflicts.filter((conflict) => conflict.unread);
  const ids = unread.map(({ operationId }) => operationId);
  const operations = ids.length === 0 ? [] : await store.get<StoredOperation>(OPERATIONS, ids);
  const byId = new Map(operations.map((operation) => [operation?.id, operation]));
  return conflicts.map((conflict) =>
    conflictView(readAgain(collections, conflict, byId.get(conflict.operationId)), collections),
  );
}
