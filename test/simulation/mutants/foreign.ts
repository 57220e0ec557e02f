/**
 * Bugs of the kinds that somebody planted who had not written the simulator, and that it did not see: they need what a larger, longer or
 * busier shop has, or an invariant that does not believe the till.
 */
import { type Mutant, mutant, patch } from "./mutant.ts";

/** What an edit says, and what it was made on. */
const edits: readonly Mutant[] = [
  mutant(
    "a corrected edit forgets what it removed",
    "S10",
    patch(
      "client/scripts/desk-actions.ts",
      "{ ...operation.patch, ...removed, ...loose }",
      "{ ...operation.patch, ...{ removed }.nothing, ...loose }",
    ),
  ),
  mutant(
    "a second edit takes the newest base",
    "C5",
    patch(
      "client/decide/mint.ts",
      "return Math.min(current, ...pending.map((o) => o.baseVersion ?? current));",
      "return Math.max(current, ...pending.map((o) => o.baseVersion ?? current));",
    ),
  ),
  mutant(
    "removing a null does nothing",
    "S6",
    patch(
      "client/decide/local-write.ts",
      "read.unset.filter((name) => current[name] !== undefined)",
      "read.unset.filter((name) => (current[name] ?? undefined) !== undefined)",
    ),
  ),
  mutant(
    "an edit that is kept forgets what it removed",
    "S10",
    patch(
      "client/decide/conflict.ts",
      "  const names = [...Object.keys(patch), ...unset];\n  // The server's",
      "  unset.length = 0;\n  const names = [...Object.keys(patch), ...unset];\n  // The server's",
    ),
  ),
  mutant(
    "a removed field has no author",
    "C5",
    patch(
      "server/decide/operation/edits.ts",
      "    writtenFields: touched,\n",
      "    writtenFields: Object.keys(patch),\n",
    ),
  ),
  mutant(
    "a second life keeps the versions of the first",
    "C5",
    patch(
      "server/decide/rows/rows.ts",
      "draft.isCreation === true ? {} : { ...before?.fields };",
      "{ ...before?.fields };",
    ),
    patch(
      "server/decide/rows/rows.ts",
      "  for (const field of draft.writtenFields) fields[field] = stamp;\n",
      "  for (const field of draft.writtenFields) if (draft.isCreation !== true || !fields[field]) fields[field] = stamp;\n",
    ),
  ),
];

/** Counters, effects and discrepancies. */
const sums: readonly Mutant[] = [
  mutant(
    "one counter at zero forgets the others",
    "S6",
    patch(
      "client/decide/replay.ts",
      "if (Number(total) === 0) delete merged[name];",
      "if (Number(total) === 0) return undefined;",
    ),
  ),
  mutant(
    "a step on one counter sets the others to zero",
    "H4",
    patch(
      "server/decide/rows/rows.ts",
      "const sums: Record<string, CounterValue> = { ...counters };",
      "const sums: Record<string, CounterValue> = {};",
    ),
  ),
  mutant(
    "the version before the effect is answered",
    "S2",
    patch(
      "server/decide/operation/apply-change.ts",
      "  writeRow(ws, amended(draft, assigned, verdict.without), operation.id);\n",
      "  const early = writeRow(ws, amended(draft, assigned, verdict.without), operation.id);\n",
    ),
    patch(
      "server/decide/operation/apply-change.ts",
      "const row = ws.record(served.name, operation.entityId);",
      "const row = early;",
    ),
  ),
  mutant(
    "an effect of a policy is written twice",
    "S2",
    patch(
      "server/decide/operation/apply-change.ts",
      "const effectFlags = applyEffects(judgement, verdict.effects);",
      "const effectFlags = [...applyEffects(judgement, verdict.effects), ...applyEffects(judgement, verdict.effects)];",
    ),
  ),
  mutant(
    "a discrepancy is not kept",
    "S2",
    patch("server/decide/operation/apply-change.ts", "const ids = discrepancies.map(", "const ids = [].map("),
  ),
];

/** Pages, steps and windows that are full. */
const borders: readonly Mutant[] = [
  mutant(
    "a sweep ends early",
    "H10",
    patch(
      "client/scripts/upkeep.ts",
      "const more = rows.length === SWEPT_PER_STEP && last !== undefined;",
      "const more = gone.length === SWEPT_PER_STEP && last !== undefined;",
    ),
  ),
  mutant(
    "a page of a desk skips its border",
    "S14",
    patch(
      "server/service/desk-page.ts",
      "      if (isShown(row) && !this.#addIfItFits(row)) {\n        this.#isDone = true;",
      "      if (isShown(row) && !this.#addIfItFits(row)) {\n        this.#position = row.position;\n        this.#isDone = true;",
    ),
  ),
  mutant(
    "a cut list of results counts as whole",
    "C6",
    patch("server/decide/rows/feed.ts", "upTo: cutAt ?? position", "upTo: position"),
  ),
  mutant(
    "a full page is the last one",
    "S4",
    patch(
      "server/decide/pull.ts",
      "const bounds = { after: position, upTo, limit: budget.changes + 1, bytes: budget.bytes };",
      "const bounds = { after: position, upTo, limit: budget.changes, bytes: budget.bytes };",
    ),
    patch("server/decide/pull.ts", "    if (!more) return {", "    if (true || more) return {"),
  ),
];

/** Time: long, wrong, or waited for. */
const waits: readonly Mutant[] = [
  mutant(
    "the journal is pruned by when it was sold",
    "C8.7",
    patch("client/scripts/journal.ts", "value.status.result.at < horizon;", "value.occurredAt < horizon;"),
  ),
  mutant(
    "the journal is pruned after a day",
    "C8.7",
    patch(
      "client/scripts/journal.ts",
      "const horizon = serverTime - JOURNAL_WINDOW_MS;",
      "const horizon = serverTime - JOURNAL_WINDOW_MS / 14;",
    ),
  ),
  mutant(
    "blocked work is woken by the wall clock",
    "H2",
    patch("client/sync/push.ts", "    const now = clock.monotonic();\n", "    const now = clock.now();\n"),
  ),
  mutant(
    "a wake of the same answer is lost",
    "H2",
    patch(
      "client/decide/results.ts",
      "blockedInRound: workspace.unblockRoundBefore,",
      "blockedInRound: workspace.unblockRoundBefore + 1,",
    ),
  ),
  mutant(
    "a wake during a request is lost",
    "V2",
    patch(
      "client/decide/sync-machine.ts",
      'if (next[lane] !== "asked") next[lane] = next[lane] === "idle" ? "busy" : afterwards;',
      'if (next[lane] === "idle") next[lane] = "busy";',
    ),
  ),
  mutant(
    "nobody spreads what the server has put off",
    "V3",
    patch(
      "client/decide/backoff.ts",
      "return Math.round(Math.min(floorMs, LONGEST_FLOOR_MS) + wait);",
      "return Math.round(floorMs > 0 ? Math.min(floorMs, LONGEST_FLOOR_MS) : wait);",
    ),
  ),
  mutant(
    "Retry-After is passed over",
    "V3",
    patch(
      "client/decide/backoff.ts",
      "return Math.round(Math.min(floorMs, LONGEST_FLOOR_MS) + wait);",
      "return Math.round(wait);",
    ),
  ),
  mutant(
    "Retry-After in milliseconds",
    "V2",
    patch(
      "server/problems.ts",
      '"retry-after": String(RETRY_AFTER_SECONDS)',
      '"retry-after": String(RETRY_AFTER_SECONDS * 1_000)',
    ),
  ),
  mutant(
    "a renewal that failed is kept",
    "V1",
    patch(
      "transport/http/token.ts",
      "    orAborted(token, request.signal).then(done, done);\n",
      "    orAborted(token, request.signal).then(done, () => {});\n",
    ),
  ),
  mutant(
    "the revision of the lost history stays",
    "C8",
    patch(
      "client/decide/epoch.ts",
      '      return { ...operation, status: RESEND };\n    case "blocked":',
      '      return { ...operation, status: { ...RESEND, result: operation.status.result } };\n    case "blocked":',
    ),
  ),
];

/** What is shown. */
const shows: readonly Mutant[] = [
  mutant(
    "what the disk refused is shown in flight",
    "S15",
    patch(
      "client/sync/push.ts",
      "    try {\n      return await this.#send(batch, fence, signal);\n    } finally {\n      for (const id of ids) inFlight.delete(id);\n    }\n",
      "    const event = await this.#send(batch, fence, signal);\n    for (const id of ids) inFlight.delete(id);\n    return event;\n",
    ),
  ),
  mutant(
    "a change during a live read is lost",
    "V4",
    patch(
      "client/app/live.ts",
      "    again = true;\n    if (reading) return;\n",
      "    if (reading) return;\n    again = true;\n",
    ),
  ),
  mutant(
    "settled() hears no other tab",
    "V4",
    patch(
      "client/app/settlement.ts",
      "if (own || commit.changedElsewhere?.includes(collection)) recheck();",
      "if (own) recheck();",
    ),
  ),
  mutant(
    "a live list never says that there is more",
    "V4",
    patch(
      "client/app/live.ts",
      "{ loading: false, more, complete, error: undefined }",
      "{ loading: false, more: false, complete, error: undefined }",
    ),
  ),
];

/** Who may see and settle what, and how many are said to be missing. */
const people: readonly Mutant[] = [
  mutant(
    "an office releases what is another branch's",
    "S14",
    patch(
      "server/decide/desk-actions.ts",
      "return inScope(principal, branchOf(row));",
      "return inScope(principal, branchOf(row)) || true;",
    ),
  ),
  mutant(
    "an office's desk shows what is another branch's",
    "S14",
    patch(
      "server/service/desk-service.ts",
      "if (this.#hasDesk(caller)) return (branch) => inScope(principal, branch);",
      "if (this.#hasDesk(caller)) return () => true;",
    ),
  ),
  mutant(
    "a cursor of another branch passes",
    "C10",
    patch(
      "server/decide/pull.ts",
      "cursor.schemaVersion === served.resolved.schemaVersion &&\n    cursor.view === viewOf(served, principal)",
      "cursor.schemaVersion === served.resolved.schemaVersion",
    ),
  ),
  mutant(
    "work of another branch is taken for the token's",
    "C10",
    patch(
      "server/decide/operation/evaluate.ts",
      'return refusal ?? quarantined(sent, "branch_mismatch", "It was made in another branch than the token\'s");',
      "return applied(sent, 0);",
    ),
  ),
  mutant(
    "one missing sale is none",
    "S12",
    patch(
      "server/decide/rows/devices.ts",
      "Math.max(0, lastSequence - firstSequence + 1 - received)",
      "Math.max(0, lastSequence - firstSequence - received)",
    ),
  ),
];

/** The channel for pokes. */
const channel: readonly Mutant[] = [
  mutant(
    "a channel that is not there is asked for without a pause",
    "V3",
    patch(
      "client/sync/pokes.ts",
      "backoffMs(attempt, 0, random.unit(), backoff)",
      "backoffMs(0 * attempt, 0, random.unit(), backoff)",
    ),
  ),
  mutant(
    "a poke is not acted on",
    "V4",
    patch("client/sync/pokes.ts", "poke: () => this.#deps.poked(),", "poke: () => {},"),
  ),
  mutant(
    "a poke stays in its process",
    "V4",
    patch(
      "server/http/live.ts",
      "      this.#parts.pokes?.publish({ tenant, device, collections: [...collections], scope });\n",
      "      void [scope, collections];\n",
    ),
  ),
  mutant(
    "a channel that broke is not opened again",
    "V4",
    patch(
      "client/sync/pokes.ts",
      "for (let attempt = 0; !signal.aborted; attempt += 1) {",
      "for (let attempt = 0; attempt === 0; attempt += 1) {",
    ),
  ),
];

export const foreign: readonly Mutant[] = [...edits, ...sums, ...borders, ...waits, ...shows, ...people, ...channel];
