/** Bugs in what the server makes of an operation. */
import { type Mutant, mutant, patch } from "./mutant.ts";

const known = "    const stored = knownTo(ws, view, member.id);\n    if (stored === undefined) fresh.push(member);";

export const judging: readonly Mutant[] = [
  mutant(
    "counter applied twice on re-send",
    "H4",
    patch(
      "server/decide/transaction.ts",
      known,
      '    const stored = ws.operation(member.id);\n    if (stored === undefined || member.raw.action === "increment") fresh.push(member);',
    ),
  ),
  mutant(
    "the server forgets an id after ten seconds",
    "H9",
    patch(
      "server/decide/transaction.ts",
      known,
      `    const kept = ws.operation(member.id);
    const stored = kept === undefined || kept.receivedAt < view.receivedAt - 10_000 ? undefined : kept;
    if (stored === undefined) fresh.push(member);`,
    ),
  ),
  mutant(
    "group torn by quarantine",
    "C1",
    patch(
      "server/decide/transaction.ts",
      "if (results.every(({ id }) => id === culprit)) return results;",
      "if (results.length > 0) return results;",
    ),
  ),
  mutant(
    "came first counts as taken effect",
    "H1",
    patch("server/decide/operation/order.ts", 'if (row.status === "applied") return true;', "return true;"),
  ),
  mutant(
    "what waits is acknowledged",
    "H1",
    patch(
      "server/decide/operation/evaluate.ts",
      "if (waitsFor.length > 0) return blocked(operation, waitsFor);",
      "if (waitsFor.length > 0) return applied(operation, 0);",
    ),
  ),
  mutant(
    "money waits for a verdict",
    "C2",
    patch("server/decide/operation/order.ts", "  return waiting.commercial;\n", "  return false;\n"),
  ),
  mutant(
    "a fact is rejected",
    "H5",
    patch(
      "server/decide/operation/apply-change.ts",
      'if (outcome === "rejected" && !isCommercial(view.catalog, operation))',
      'if (outcome === "rejected")',
    ),
  ),
  mutant(
    "an edit overwrites what its author has not seen",
    "C5",
    patch(
      "server/decide/operation/edits.ts",
      "    if (fields.length > 0) return inConflict(judgement, before, { fields, client: merged });",
      "",
    ),
  ),
  mutant(
    "in conflict with himself",
    "C5",
    patch(
      "server/decide/operation/edits.ts",
      "return version > baseVersion && writer !== view.incarnation;",
      "return version > baseVersion;",
    ),
  ),
  mutant(
    "the row that others have changed is not sent back",
    "C4",
    patch(
      "server/decide/operation/edits.ts",
      "const echo = judgement.isRaised || before.version !== baseVersion || !deepEqual(checked.data, merged);",
      "const echo = false;",
    ),
  ),
  mutant(
    "a row that is created again loses its counters",
    "H4",
    patch(
      "server/decide/operation/edits.ts",
      "counters: before?.counters ?? {}, writer: view.incarnation };",
      'counters: before?.state === "live" ? before.counters : {}, writer: view.incarnation };',
    ),
  ),
  mutant(
    "own results left out of a pull",
    "C6",
    patch("server/decide/pull.ts", "const { upTo, results } = head.own;", "const { upTo } = head.own, results = [];"),
  ),
  mutant(
    "mark runs ahead of the results",
    "C6",
    patch("server/decide/push.ts", "    results: [...results, ...own.results],", "    results: [...results],"),
    patch(
      "server/decide/rows/feed.ts",
      "const older = seen.length === 2 ? Math.min(...seen) : 0;",
      "const older = Math.max(0, ...seen);",
    ),
  ),
  mutant(
    "a page ends short of its cursor",
    "S4",
    patch(
      "server/decide/pull.ts",
      "    changes.push(...fits.changes);",
      "    changes.push(...fits.changes.slice(0, 20));",
    ),
  ),
  mutant(
    "position taken before commit",
    "S4",
    patch(
      "server/memory/memory-store.ts",
      '    if (before !== undefined) await before("commit", tenant);\n    this.#refuseReplaced(disk);\n    state.apply(writes);',
      `    const { operations: _o, records: late, ...early } = writes;
    state.apply({ ...early, operations: _o });
    if (before !== undefined) await before("commit", tenant);
    this.#refuseReplaced(disk);
    state.apply({ records: late });`,
    ),
  ),
  mutant(
    "a chain that was cut replaces only what it names",
    "C3",
    patch(
      "server/decide/operation/supersede.ts",
      "if (first === undefined || !isCut(supersedes)) return supersedes;",
      "return supersedes;",
    ),
  ),
  mutant(
    "a chain that is cut loses its first id",
    "C3",
    patch("protocol/chain.ts", "[...chain.slice(0, 1), ...chain.slice(1 - CHAIN_IDS)]", "chain.slice(-CHAIN_IDS)"),
  ),
];
