/**
 * Runs a script in one transaction, in as few round trips as its steps allow.
 *
 * A transaction that writes locks the tenant's clock row by a statement of its own before anything is read. Under
 * `read committed`, each later statement sees everything that was committed before the lock was granted: two resends of
 * one batch find each other's results, and positions become visible in commit order. A sequence would give neither.
 */

import type { TenantClock } from "../ports/rows.ts";
import type { StoreRead, StoreReadScript, StoreScript } from "../ports/store.ts";
import type { Connection, ReadPlan, Rows, Statement } from "./connection.ts";
import { isRefusal, unknownOutcome } from "./errors.ts";
import { planRead } from "./reads.ts";
import { clocks } from "./tables.ts";
import { planWrites } from "./writes.ts";

const BEGIN: Statement = { text: "begin isolation level read committed, read write", values: [] };
const BEGIN_READ: Statement = { text: "begin isolation level repeatable read, read only", values: [] };
const COMMIT: Statement = { text: "commit", values: [] };

/** Whose transaction it is, and the statement that says so to the database: see `transactionSettings`. */
export interface Tenancy {
  readonly tenant: string;
  readonly settings: Statement;
}

const lock = (tenant: string): Statement => ({
  text: `select ${clocks.selection("t")} from clocks t where t.tenant = $1 for update`,
  values: [tenant],
});
const makeLock = (tenant: string): Statement => ({
  text: "insert into clocks (tenant) values ($1) on conflict (tenant) do nothing",
  values: [tenant],
});

export async function transactOnce<T>(
  connection: Connection,
  { tenant, settings }: Tenancy,
  script: () => StoreScript<T>,
): Promise<T> {
  let clock: TenantClock | undefined;
  const planned = (reads: readonly StoreRead[]) => planStep(tenant, reads, () => clock);
  try {
    const steps = script();
    let step = steps.next();
    let asked = planned(step.done === true ? [] : step.value);
    let [, , locked = [], ...rows]: Rows = await connection.run([
      ...[BEGIN, settings, lock(tenant)],
      ...asked.statements,
    ]);
    if (locked.length === 0) {
      // The tenant's first transaction: the lock found no row, so everything is read again once there is one.
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
  { tenant, settings }: Tenancy,
  script: () => StoreReadScript<T>,
): Promise<T> {
  try {
    const steps = script();
    let opening: readonly Statement[] = [BEGIN_READ, settings];
    let step = steps.next();
    while (step.done !== true) {
      const asked = planStep(tenant, step.value);
      const rows = await connection.run([...opening, ...asked.statements]);
      const answers = asked.answers(rows.slice(opening.length));
      opening = [];
      step = steps.next(answers);
    }
    // The answer does not wait for the end of a read. The next user of the connection is queued after it.
    if (opening.length === 0) connection.run([COMMIT]).catch(() => {});
    return step.value;
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

/** One round trip: if a write fails, PostgreSQL skips `commit`. */
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

/** @param clock returns the clock row that the lock has read, once the rows of the step are there */
function planStep(
  tenant: string,
  reads: readonly StoreRead[],
  clock?: (() => TenantClock | undefined) | undefined,
): PlannedStep {
  const plans = reads.map((read): ReadPlan => {
    if (read.kind === "clock" && clock !== undefined) return { statements: [], decode: clock };
    return planRead(tenant, read);
  });
  return {
    statements: plans.flatMap(({ statements }) => statements),
    answers(rows) {
      let next = 0;
      return plans.map(({ statements, decode }) => {
        const own = rows.slice(next, next + statements.length);
        next += statements.length;
        return decode(own);
      });
    },
  };
}
