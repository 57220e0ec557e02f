/**
 * Runs a script in one transaction, in as few round trips as its steps allow.
 *
 * A transaction that writes locks the tenant's clock row by a statement of its own before anything is read. Under `read
 * committed` each statement after it sees everything that was committed before the lock was given: two resends of one batch
 * find each other's results, and positions become visible in the order of the commits. A sequence would give neither.
 */

import type { TenantClock } from "../ports/rows.ts";
import type { StoreRead, StoreReadScript, StoreScript } from "../ports/store.ts";
import type { Connection, Fields, Statement } from "./connection.ts";
import { isRefusal, unknownOutcome } from "./errors.ts";
import type { Plan } from "./plan.ts";
import { planRead } from "./reads.ts";
import { clocks } from "./tables.ts";
import { planWrites } from "./writes.ts";

const BEGIN: Statement = { text: "begin isolation level read committed, read write", values: [] };
const BEGIN_READ: Statement = { text: "begin isolation level repeatable read, read only", values: [] };
const COMMIT: Statement = { text: "commit", values: [] };

/** What row-level security goes by. Ends with the transaction: a connection in the pool is nobody's. */
const tenantIs = (tenant: string): Statement => ({
  text: "select set_config('tillsync.tenant', $1, true)",
  values: [tenant],
});
const lock = (tenant: string): Statement => ({
  text: `select ${clocks.selection("t")} from clocks t where t.tenant = $1 for update`,
  values: [tenant],
});
const makeLock = (tenant: string): Statement => ({
  text: "insert into clocks (tenant) values ($1) on conflict (tenant) do nothing",
  values: [tenant],
});

type Rows = readonly (readonly Fields[])[];

export async function transactOnce<T>(
  connection: Connection,
  tenant: string,
  script: () => StoreScript<T>,
): Promise<T> {
  let clock: TenantClock | undefined;
  const planned = (reads: readonly StoreRead[]) => planStep(tenant, reads, () => clock);
  try {
    const steps = script();
    let step = steps.next();
    let asked = planned(step.done === true ? [] : step.value);
    let [, , locked = [], ...rows]: Rows = await connection.run([
      ...[BEGIN, tenantIs(tenant), lock(tenant)],
      ...asked.statements,
    ]);
    if (locked.length === 0) {
      // The tenant's first transaction: what was read beside a lock on nothing is read again.
      [, locked = [], ...rows] = await connection.run([makeLock(tenant), lock(tenant), ...asked.statements]);
    }
    const [found] = clocks.decode(locked);
    clock = found?.epoch === undefined ? undefined : found;

    while (step.done !== true) {
      step = steps.next(asked.answers(rows));
      if (step.done === true) break;
      asked = planned(step.value);
      rows = [...(await connection.run(asked.statements))];
    }
    const { value, writes } = step.value;
    await commit(connection, planWrites(tenant, writes));
    return value;
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

export async function readOnce<T>(
  connection: Connection,
  tenant: string,
  script: () => StoreReadScript<T>,
): Promise<T> {
  try {
    const steps = script();
    let opening: readonly Statement[] = [BEGIN_READ, tenantIs(tenant)];
    let step = steps.next();
    while (step.done !== true) {
      const asked = planStep(tenant, step.value);
      const rows = await connection.run([...opening, ...asked.statements]);
      const answers = asked.answers(rows.slice(opening.length));
      opening = [];
      step = steps.next(answers);
    }
    // Nothing is left to be known: the answer does not wait for the end. Who has the connection next comes after it.
    if (opening.length === 0) connection.run([COMMIT]).catch(() => {});
    return step.value;
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

/** One round trip: where a write fails, `commit` is skipped. */
async function commit(connection: Connection, writes: readonly Statement[]): Promise<void> {
  try {
    await connection.run([...writes, COMMIT]);
  } catch (error) {
    throw isRefusal(error) ? error : unknownOutcome(error);
  }
}

interface PlannedStep {
  readonly statements: readonly Statement[];
  answers(rows: Rows): readonly unknown[];
}

/** The reads of one step. `clock`: is known already, once the rows are there. */
function planStep(
  tenant: string,
  reads: readonly StoreRead[],
  clock?: (() => TenantClock | undefined) | undefined,
): PlannedStep {
  const plans = reads.map((read): Plan => {
    if (read.kind === "clock" && clock !== undefined) return { statements: [], answer: clock };
    return planRead(tenant, read);
  });
  return {
    statements: plans.flatMap(({ statements }) => statements),
    answers(rows) {
      let next = 0;
      return plans.map(({ statements, answer }) => {
        const own = rows.slice(next, next + statements.length);
        next += statements.length;
        return answer(own);
      });
    },
  };
}
