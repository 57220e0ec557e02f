/** Bugs in what follows a restore of the server from a backup. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const epochs: readonly Mutant[] = [
  mutant(
    "no re-push after a restore",
    "C8",
    patch(
      "client/decide/epoch.ts",
      '      if (operation.action === "void" || result.epoch === undefined',
      '      if (operation.action !== "void") return undefined;\n      if (operation.action === "void" || result.epoch === undefined',
    ),
  ),
  mutant(
    "journal forgets after a second",
    "C8",
    patch(
      "client/scripts/journal.ts",
      "const horizon = serverTime - JOURNAL_WINDOW_MS;",
      "const horizon = serverTime - 1_000;",
    ),
  ),
  mutant(
    "what lay on desks is not sent again after a restore",
    "C8",
    patch(
      "client/decide/epoch.ts",
      '    case "closed_elsewhere":\n      return { ...operation, status: RESEND };',
      '    case "closed_elsewhere":\n      return undefined;',
    ),
  ),
  mutant(
    "mark not checked",
    "C8",
    patch(
      "server/decide/epoch.ts",
      'return marksIn(marks).every((mark) => holds(ws, mark)) ? "current" : "restored";',
      'return "current";',
    ),
  ),
  // On both sides: each of them alone is enough to notice another epoch.
  mutant(
    "no epoch check",
    "C8",
    patch("server/decide/epoch.ts", "if (claim.epoch !== ws.clock.epoch) {", "if (false) {"),
    patch("client/scripts/answer.ts", " && answer.epoch === binding.epoch;", ";"),
  ),
  mutant(
    "what was acknowledged counts again in the view after a restore",
    "C8",
    patch("client/decide/workspace.ts", "return row.generation >= (operation.missingSince ?? 0);", "return true;"),
  ),
  mutant(
    "what comes back after a restore is judged as new",
    "C8",
    patch(
      "server/decide/operation/evaluate.ts",
      "const acknowledged = prepared.acknowledgedIsAuthentic ? acknowledgement(ws, operation) : undefined;",
      "const acknowledged = undefined;",
    ),
  ),
  // That a server believes without looking shows only where somebody lies, and no till of the simulation does: the rule
  // test of C8.5 forges.
  mutant(
    "the till gives back what it was told without the receipt",
    "C8",
    patch("client/decide/epoch.ts", "          ...(receipt !== undefined && { receipt }),\n", ""),
  ),
  mutant(
    "what comes back after a restore overwrites what is newer",
    "C8",
    patch(
      "server/decide/operation/replay-acknowledged.ts",
      "const lower = names.filter((name) => live === undefined || fieldVersion(live, name)[0] < acknowledged.version);",
      "const lower = names;",
    ),
  ),
  mutant(
    "bases of the lost history stay",
    "H10",
    patch(
      "client/decide/workspace.ts",
      "if (known?.generation === generation && (isOld || lacksOwn)) return;",
      "if (isOld || lacksOwn) return;",
    ),
  ),
  mutant(
    "rows that a resync did not bring are not swept",
    "H10",
    patch(
      "client/decide/pull-page.ts",
      'const sweep = complete && !cursor.complete && generation > 1 ? "" : cursor.sweep;',
      "const sweep = undefined;",
    ),
    patch(
      "client/scripts/upkeep.ts",
      'return cursor && isSwept ? [[name, { ...cursor, sweep: "" }] as const] : [];',
      "return [];",
    ),
  ),
  mutant(
    "what may differ between two deliveries counts as another payload",
    "H8",
    patch(
      "protocol/payload.ts",
      "  return payload;\n",
      "  return operation.acknowledged ? { ...payload, acknowledged: operation.acknowledged.epoch } : payload;\n",
    ),
  ),
];
