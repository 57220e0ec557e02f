/** S16: no data is of one version under the name of another, on the server and on every disk; a sale costs what was asked for it. */
import type { StorageWrite } from "../../../src/client/ports/storage.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { collectionOf, tableOf } from "../../../src/client/state/tables.ts";
import type { Machine } from "../machines/machine.ts";
import { down, mislabelled } from "../versions.ts";
import type { Invariant } from "./invariant.ts";
import { factsOfLiar } from "./lies.ts";

/** What every piece costs. */
const PIECE = 100;

/** The same of each row that is about to be stored: in the end everything is of the newest version, and has been written anew. */
export function judgeLabels({ name, world }: Machine, writes: readonly StorageWrite[]): void {
  for (const write of writes) {
    if (write.kind !== "put" || !write.table.startsWith("c:")) continue;
    const { data, base, schemaVersion = 1 } = write.value as StoredRow;
    const collection = collectionOf(write.table);
    for (const side of [data, base]) {
      const wrong = side && mislabelled(collection, down(schemaVersion, collection, side));
      if (wrong)
        world.violation("S16", `${name} stores ${collection}/${write.key} of version ${schemaVersion}: ${wrong}`);
    }
  }
}

export const labels: Invariant = {
  name: "S16",
  check(world) {
    const told = (where: string, collection: string, id: string, data: Readonly<Record<string, unknown>>) => {
      const wrong = mislabelled(collection, data);
      if (wrong) world.violation("S16", `${where} has ${collection}/${id}: ${wrong}`);
    };
    const ofLiar = factsOfLiar(world);
    for (const { collection, id, state, data } of world.server.rows().records ?? []) {
      if (state === "stub") continue;
      told("the server", collection, id, data);
      const { quantity, totalCents } = data as { quantity?: number; totalCents?: number };
      if (collection === "sales" && !ofLiar.has(`sales/${id}`) && totalCents !== (quantity ?? 0) * PIECE)
        world.violation("S16", `${id} is a sale of ${quantity} for ${totalCents}`);
    }
    for (const machine of world.machines) {
      for (const [table, rows] of Object.entries(machine.snapshot().tables)) {
        const collection = collectionOf(table);
        if (table !== tableOf(collection)) continue;
        for (const [id] of rows) {
          const { data, base } = machine.row(collection, id) as StoredRow;
          for (const side of [data, base]) if (side) told(machine.name, collection, id, side);
        }
      }
    }
  },
};
