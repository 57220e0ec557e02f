/** What the rules for one operation work with. */
import type { WireOperation } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { ServedCollection } from "../rows/catalog.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";

/**
 * One operation under judgement: the rows, its sender, its collection, and the operation in the collection's current
 * schema.
 */
export interface Judgement<O extends WireOperation = WireOperation> {
  readonly ws: WorkingSet;
  readonly view: Viewpoint;
  readonly served: ServedCollection;
  readonly operation: O;
  /** The operation was sent in an older schema: the till can't tell what became of it, so every result has the row. */
  readonly isRaised: boolean;
}

/** What the lost history made of an operation that returns after a restore [C8.5]. */
export interface Acknowledgement {
  /** The version that it had there, but at most the start of the present epoch. */
  readonly version: number;
  readonly assigned: JsonObject | undefined;
}
