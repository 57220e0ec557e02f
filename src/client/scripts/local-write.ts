/** A local write as a script: it reads the rows, decides, and writes views and operations together (L1). */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { JsonObject } from "../../shared/json.ts";
import { decideLocalWrite, type LocalChange } from "../decide/local-write.ts";
import type { MintContext } from "../decide/mint.ts";
import type { RowChange } from "../decide/workspace.ts";
import type { StorageScript } from "../ports/storage.ts";
import type { QueueState } from "../state/meta.ts";
import type { StoredOperation } from "../state/operation.ts";
import { loadWorkspace } from "./load.ts";

/** What a local write has stored. */
export interface LocalWriteResult {
  readonly operations: readonly StoredOperation[];
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
  /** The view of a changed row; `undefined` if there is no record. */
  view(collection: string, id: string): JsonObject | undefined;
}

export function* localWrite(
  collections: ResolvedCollections,
  context: MintContext,
  changes: readonly LocalChange[],
  options: { readonly separate?: boolean | undefined },
): StorageScript<LocalWriteResult> {
  const fresh = changes.filter(({ action }) => action === "create");
  const { workspace } = yield* loadWorkspace(collections, { targets: changes, fresh });
  const operations = decideLocalWrite(workspace, context, changes, options);
  const done = workspace.finish();
  return {
    writes: done.writes,
    value: {
      operations,
      changes: done.changes,
      queue: workspace.queue,
      view: (collection, id) => workspace.view(collection, id),
    },
  };
}
