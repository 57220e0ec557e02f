/**
 * One tape of operations, and a run of it for each point at which it can be cut: the till dies once at every step of its disk and of each
 * request, the server once at every step of each transaction.
 */
import type { CrashPoint, Plan, PlannedCommand } from "./plan.ts";
import { runWorker } from "./processes.ts";
import type { Outcome } from "./world.ts";

/** Everything that a shop does in a minute, on two tills, with what makes each of it hard: doubtful facts, edits that overlap. */
const KINDS = [
  ["sale", "price", "create", "sale_to_customer", "phone", "refund", "edit_both", "rename", "import"],
  ["price", "phone", "create", "sale", "edit_both", "delete", "resolve", "revise", "office"],
] as const;
const STEP_MS = 1_300;
const TILLS = 2;

export function tape(crash?: CrashPoint, isLong = true): Plan {
  const commands: PlannedCommand[] = [];
  for (const [round, kinds] of (isLong ? [...KINDS, ...KINDS] : KINDS).entries())
    for (const [at, kind] of kinds.entries())
      for (let till = 0; till < TILLS; till++)
        commands.push({
          at: 2_000 + (round * 9 + at) * STEP_MS + till * 400,
          till,
          kind,
          draw: 1 + round * 100 + at * 10 + till,
        });
  commands.sort((a, b) => a.at - b.at);
  const durationMs = (commands.at(-1)?.at ?? 0) + 5_000;
  const options = { tills: TILLS, durationMs, secondTab: 0, leases: 0, diskMs: 0, batch: 3 };
  return { seed: 1, options, commands, faults: [], ...(crash && { crash }) };
}

/** Every point of the tape, as a run without a crash comes by them. @param every one in so many */
export async function crashPoints(path: string, every = 1, isLong = true): Promise<readonly Plan[]> {
  const [whole] = await runPlans(path, [tape(undefined, isLong)]);
  if (whole === undefined || whole.violations.length > 0) throw new Error("The tape fails without any crash.");
  const points = Object.entries(whole.reached).flatMap(([where, most]) =>
    Array.from({ length: most }, (_, at): CrashPoint => ({ where: where as CrashPoint["where"], count: at + 1 })),
  );
  return points.filter((_, at) => at % every === 0).map((point) => tape(point, isLong));
}

export async function runPlans(
  path: string,
  plans: readonly Plan[],
  done: (outcome: Outcome) => void = () => {},
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await runWorker(path, { kind: "plans", plans }, (answer) => {
    if (answer.kind !== "outcome") return;
    outcomes.push(answer.outcome);
    done(answer.outcome);
  });
  return outcomes;
}
