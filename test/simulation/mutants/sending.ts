/** Bugs in what is sent, and in what order. */
import { type Mutant, mutant, patch } from "./mutant.ts";

const answered = "const answer = { ...result.value, serverTime: result.timing.serverTime };";

export const sending: readonly Mutant[] = [
  mutant(
    "delete on send",
    "S1",
    patch(
      "client/scripts/next-batch.ts",
      "    writes: [],\n    value: {\n      selected,",
      '    writes: selected.map(({ operation }) => ({ kind: "delete", table: "operations", key: operation.id })),\n    value: {\n      selected,',
    ),
  ),
  mutant(
    "acknowledge by place in the queue",
    "S1",
    patch(
      "client/sync/push.ts",
      answered,
      `${answered} answer.results = results.map((one, at) => ({ ...one, id: selected.toSorted((a, b) => a.operation.rank - b.operation.rank)[at]?.operation.id ?? one.id }));`,
    ),
  ),
  mutant(
    "acknowledge what was sent, whatever the answer says",
    "S1",
    patch(
      "client/sync/push.ts",
      answered,
      `${answered} answer.results = results.map((one) => one.status === "blocked" || one.status === "retry" ? { id: one.id, status: "applied", version: 0 } : one);`,
    ),
  ),
  mutant(
    "forgotten order of what depends on another",
    "C2",
    patch("client/decide/selection.ts", 'if (operation.action === "void") return [];', "return [];"),
  ),
  mutant(
    "references forgotten in the order",
    "C2",
    patch("client/decide/selection.ts", "(operation.references ?? []).map((subject)", "[].map((subject)"),
  ),
  mutant("after not sent", "C2", patch("client/decide/wire.ts", "...(after.length > 0 && { after }),", "")),
  mutant(
    "a sale waits for a person",
    "C2",
    patch("client/decide/selection.ts", 'if (outcome === "person") return isCommercial(operation);', ""),
  ),
  mutant(
    "transaction split on the wire",
    "C1",
    patch("client/decide/selection.ts", "const key = operation.group ?? operation.id;", "const key = operation.id;"),
  ),
  mutant(
    "a sale is bound to the edit that was made with it",
    "C1",
    patch(
      "client/decide/mint.ts",
      "if (isCommercial(operation)) return commercial.length > 1 ? { ...operation, group: transaction, lane } : operation;",
      "return operations.length > 1 ? { ...operation, group: transaction } : operation;",
    ),
    patch(
      "server/decide/transaction.ts",
      'const isSale = group.some((member) => member.raw.action !== "void" && isCommercial(catalog, member.raw));',
      "const isSale = group.every((member) => belongsToSale(catalog, member));",
    ),
  ),
  mutant(
    "503 gives up on what was sent",
    "S1",
    patch(
      "client/sync/push.ts",
      'if (failure.kind === "refused" && (failure.code === "malformed" || failure.code === "too_large")) {',
      'if (failure.kind === "server_error") {',
    ),
  ),
  mutant(
    "401 treated as rejection",
    "S1",
    patch(
      "client/sync/push.ts",
      'if (failure.kind === "refused" && (failure.code === "malformed" || failure.code === "too_large")) {',
      'if (failure.kind === "unauthorised") {',
    ),
  ),
  mutant(
    "one that the server fails on stops all",
    "C9",
    patch(
      "client/sync/push.ts",
      "if (single) for (const { operation } of selected) this.#setAside.set(operation.id, until);",
      "",
    ),
  ),
  mutant(
    "a batch that is too slow is sent again as it was",
    "V5",
    patch(
      "client/sync/push.ts",
      "if (isTooSlow(failure, tookMs)) this.#size = afterTooSlow(this.#size, amountOf(selected), tookMs);",
      "",
    ),
  ),
  mutant(
    "a page that is too slow is asked for again as it was",
    "V5",
    patch(
      "client/sync/pull.ts",
      "if (isTooSlow(result.failure, tookMs)) size.current = afterTooSlow(size.current, asked, tookMs);",
      "",
    ),
  ),
  mutant(
    "the size that was too slow comes back with the first answer",
    "V5",
    patch(
      "client/decide/request-size.ts",
      'return { ...size, count: grown("count"), bytes: grown("bytes"), failures: 0 };',
      "return { ...size, count: max.count, bytes: max.bytes, failures: 0 };",
    ),
  ),
  mutant(
    "a server gives pages of its own size",
    "V5",
    patch(
      "server/decide/pull.ts",
      "changes: input.limit, bytes: answerBytes(input), isUnused",
      "changes: 1_000, bytes: 2_097_152, isUnused",
    ),
  ),
  mutant(
    "a server gives as many results as it has",
    "V5",
    patch("server/decide/rows/feed.ts", "let budget = answerBytes(asked);", "let budget = 2_097_152;"),
  ),
  mutant(
    "blocked never woken",
    "H2",
    patch("client/scripts/upkeep.ts", "if (stored === undefined || blocked.length === 0)", "if (true)"),
    patch(
      "client/decide/workspace.ts",
      "if (this.#queue.unblockRound === this.#queueBefore.unblockRound)",
      "if (false)",
    ),
  ),
];
