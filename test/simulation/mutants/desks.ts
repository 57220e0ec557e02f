/** Bugs in what people decide, at the till and in the office. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const desks: readonly Mutant[] = [
  mutant(
    "group torn by release",
    "C1",
    patch(
      "server/decide/desk-actions.ts",
      "  const members = boundTo(ws, [found]);\n  if (nameTooMany(members)) {",
      "  const members = [found];\n  if (nameTooMany(members)) {",
    ),
  ),
  mutant(
    "group torn by discard",
    "C1",
    patch(
      "server/decide/desk-actions.ts",
      "  const members = boundTo(ws, [found]).filter(isOpenQuarantine);\n  const results",
      "  const members = [found];\n  const results",
    ),
  ),
  mutant(
    "conflict resolved by dropping both",
    "C3",
    patch(
      "client/decide/conflict.ts",
      'if (answer.kept === "server" || answer.kept === "manual") return { action: "void" };',
      'return { action: "void" };',
    ),
  ),
  mutant(
    "the office's choice is not written",
    "C3",
    patch(
      "server/decide/resolve-conflict.ts",
      '  if (choice !== "server") {\n    // Without',
      '  if (choice === "nobody") {\n    // Without',
    ),
  ),
  mutant(
    "superseded op applied too: it had not come yet",
    "C3",
    patch(
      "server/decide/operation/supersede.ts",
      "if (index === 0 || ws.takePlaceholder()) ws.putOperation(",
      "if (false) ws.putOperation(",
    ),
  ),
  mutant(
    "superseded op applied too: it had taken effect",
    "C3",
    patch("server/decide/operation/supersede.ts", '    if (target.status === "applied") {', "    if (false) {"),
  ),
  mutant(
    "a conflict is settled twice",
    "C3",
    patch(
      "server/decide/operation/supersede.ts",
      "if (by !== undefined && by !== successor.id && !targets.includes(by)) {",
      "if (false) {",
    ),
    patch(
      "server/decide/resolve-conflict.ts",
      'if (conflict.settled !== undefined || operation?.supersededBy !== undefined) return { kind: "conflict_settled" };',
      "",
    ),
  ),
];
