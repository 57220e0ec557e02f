/** Bugs in what a till takes for an answer, and in what it makes of one. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const answers: readonly Mutant[] = [
  mutant(
    "foreign 200 accepted",
    "S1",
    patch(
      "transport/http/answer.ts",
      "for (const [check, passed] of Object.entries(checks)) if (!passed) return foreign(check as ForeignBecause, status);",
      "if (status !== 200 && Object.values(checks).includes(false)) return foreign('status', status);",
    ),
  ),
  mutant(
    "request id not checked",
    "S1",
    patch(
      "transport/http/answer.ts",
      "request_id: headers.get(HEADERS.requestId) === requestId && (isRefused || echoed === requestId),",
      "request_id: true || echoed,",
    ),
  ),
  mutant(
    "late answer for an old incarnation accepted",
    "C7",
    patch(
      "client/scripts/answer.ts",
      "if (!current || !asked || identity?.incarnation !== binding.incarnation)",
      "if (!current || !asked)",
    ),
  ),
  mutant(
    "late answer of an old epoch accepted",
    "C8",
    patch(
      "client/scripts/answer.ts",
      "point.fence === binding.fence && point.epoch === binding.epoch && answer.epoch === binding.epoch;",
      "point.fence === binding.fence;",
    ),
  ),
  mutant(
    "cursor without rows",
    "S4",
    patch(
      "client/decide/pull-page.ts",
      "schemaVersion = page.schemaVersion } of page.changes) {",
      "schemaVersion = page.schemaVersion } of page.changes.slice(0, -1)) {",
    ),
  ),
  mutant(
    "cursor stored apart from its rows",
    "S4",
    patch(
      "client/sync/pull.ts",
      "  call.contact(result.timing);",
      `  call.contact(result.timing);
  await call.store.transact("cursor", "strict", [], function* () {
    const known = yield [{ kind: "get", table: META, keys: Object.keys(result.value.pages).map(cursorKey) }];
    const kept = Object.entries(result.value.pages).map(([name, page], at) => ({ kind: "put", table: META, key: cursorKey(name), value: { ...(known[0][at] ?? FIRST_CURSOR), cursor: page.cursor } }));
    for (const [name, page] of Object.entries(result.value.pages)) collections[name] = page.cursor;
    return { value: undefined, writes: kept };
  });`,
    ),
  ),
  mutant(
    "version not compared",
    "C4",
    patch("client/decide/workspace.ts", "if (known?.generation === generation && (isOld || lacksOwn)) return;", ""),
  ),
  mutant(
    "deleted row forgotten, and resurrected by a late page",
    "S4",
    patch(
      "client/decide/workspace.ts",
      '      writes.push({ kind: "put", table: tableOf(collection), key: after.id, value: after });',
      '      writes.push(after.data === undefined && after.states === undefined && after.delta === undefined ? { kind: "delete", table: tableOf(collection), key: after.id } : { kind: "put", table: tableOf(collection), key: after.id, value: after });',
    ),
  ),
  mutant(
    "revised result taken for known",
    "H3",
    patch(
      "client/decide/results.ts",
      "return before === undefined || (result.revision ?? 0) > (before.revision ?? 0);",
      "return before === undefined;",
    ),
  ),
  mutant(
    "lost base on rebase",
    "S4",
    patch("client/decide/workspace.ts", "    row.base = now ?? data;", "    if (!row.edits) row.base = now ?? data;"),
  ),
  mutant(
    "a row that came before the till's own later results is taken for its base",
    "C6",
    patch(
      "client/decide/results.ts",
      "if (row === undefined || moreResults || !workspace.knows(collection)) return;",
      "if (row === undefined || !workspace.knows(collection)) return;",
    ),
  ),
  mutant(
    "an applied edit counts as the newest one though more results follow",
    "C6",
    patch("client/decide/results.ts", "operation, result, before, moreResults);", "operation, result, before, false);"),
  ),
  mutant(
    "the server does not say that more results follow",
    "C6",
    patch("server/decide/push.ts", "    moreResults: own.more,", "    moreResults: false,"),
  ),
];
