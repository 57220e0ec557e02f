/** Bugs in what becomes of a step for which its counter has no room, and of the sale that it was made with. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const counters: readonly Mutant[] = [
  mutant(
    "a step without room takes its sale along",
    "H4",
    patch(
      "server/decide/transaction.ts",
      'results.find((result, index) => result.status === "quarantined" && !isLeftOut(fresh[index]?.raw, result))?.id ??',
      'results.find((result) => result.status === "quarantined")?.id ??',
    ),
  ),
  mutant(
    "a step without room holds back its sale at the desk",
    "H4",
    patch("server/decide/desk-actions.ts", "(members.length > 1 && isLeftOut(row.operation, result))", "false"),
  ),
  mutant(
    "the bounds of a sum are not looked at",
    "S17",
    patch("schema/counter-bounds.ts", "return isAbove || isBelow ? undefined : sum;", "return sum;"),
  ),
  mutant(
    "the bounds of a step are not looked at by the till",
    "S17",
    patch(
      "client/decide/local-write.ts",
      "if (!isBeyondMaxStep(definition, name, step)) return;",
      "if (step !== undefined) return;",
    ),
  ),
  mutant(
    "a step is added again when it is released",
    "H4",
    patch(
      "server/decide/operation/counters.ts",
      "const steps = addSteps(served, before?.counters ?? {}, by);",
      'const once = addSteps(served, before?.counters ?? {}, by);\n  const steps = view.released === true && once.kind === "counted" ? addSteps(served, once.counters, by) : once;',
    ),
  ),
  mutant(
    "a step that waits for room is in the sum already",
    "H4",
    patch(
      "server/decide/transaction.ts",
      "    flagFacts(\n",
      `    for (const { parsed, raw } of fresh) {
      const row = ws.record(raw.collection as string, raw.entityId as string);
      const stock = parsed.ok && parsed.value.action === "increment" ? Number(parsed.value.by.stock ?? 0) : 0;
      if (row !== undefined && isLeftOut(raw, ws.operation(raw.id)?.result ?? { status: "" }))
        ws.putRecord({ ...row, counters: { ...row.counters, stock: Number(row.counters.stock ?? 0) + stock } });
    }
    flagFacts(
`,
    ),
  ),
  mutant(
    "a sale does not say that its step was left out",
    "S17",
    patch(
      "server/decide/operation/out-of-range.ts",
      "  if (flags.length === 0) return;",
      "  if (flags.length >= 0) return;",
    ),
  ),
  mutant(
    "an effect without room is a mistake of the policy",
    "H4",
    patch(
      "server/decide/operation/effects.ts",
      '  if (sums.kind === "outOfRange") {',
      '  if (sums.kind === "outOfRange") throw fail("makes a counter too large");\n  if (sums.kind === "outOfRange") {',
    ),
  ),
  mutant(
    "only the base of a lost history may be above that of the row",
    "C5",
    patch(
      "server/decide/operation/edits.ts",
      "if (operation.baseVersion <= Math.max(before.version, ws.clock.epochStart)) return undefined;",
      "if (operation.baseVersion <= ws.clock.epochStart) return undefined;",
    ),
  ),
];
