/** The stores that are measured, each beside its own floor. */
import { describePostgres, findPostgres, startPostgres } from "../../../scripts/postgres.mjs";
import type { ServerStore } from "../../../src/server/ports/store.ts";
import type { Context } from "../suite.ts";
import type { Bare } from "./bare.ts";
import type { CpuMeter } from "./cpu.ts";
import { measuredPostgres } from "./postgres.ts";
import { measuredSqlite } from "./sqlite.ts";

export interface MeasuredStore {
  readonly store: ServerStore;
  readonly bare: Bare;
  readonly cpu: CpuMeter;
  close(): Promise<void>;
}

export type StoreKind = "sqlite" | "postgres";

/** `undefined`: there is no such database here, which was said. */
export async function openMeasured(kind: StoreKind, context: Context): Promise<MeasuredStore | undefined> {
  if (kind === "sqlite") return measuredSqlite();
  const found = context.database === undefined ? findPostgres() : { url: context.database };
  if (found === undefined) {
    context.progress("There is no PostgreSQL here: not measured. Put its binaries on PATH, or set PG_URL.");
    return undefined;
  }
  context.progress(`PostgreSQL: ${describePostgres(found)}`);
  const server = await startPostgres(found);
  const measured = await measuredPostgres(server.url);
  context.versions.postgres = measured.version;
  return {
    ...measured,
    async close() {
      await measured.close();
      await server.stop();
    },
  };
}
