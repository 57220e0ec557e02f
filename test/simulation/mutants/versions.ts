/** Bugs in what happens while apps and servers of several schema versions are at work. */
import { type Mutant, mutant, patch } from "./mutant.ts";

/** What a till sends. */
const sent: readonly Mutant[] = [
  mutant(
    "a retry is labelled with the app's version",
    "H7",
    patch(
      "client/decide/mint.ts",
      "const { schemaVersion = definition?.schemaVersion ?? replaced.schemaVersion } = payload;",
      "const schemaVersion = definition?.schemaVersion ?? replaced.schemaVersion;",
    ),
  ),
  mutant(
    "an answer to a conflict is labelled with the version of the edit",
    "H7",
    patch(
      "client/decide/mint.ts",
      "const { schemaVersion = definition?.schemaVersion ?? replaced.schemaVersion } = payload;",
      "const { schemaVersion = replaced.schemaVersion } = payload;",
    ),
  ),
  mutant(
    "an answer to a conflict takes the edit as it was made",
    "H7",
    patch(
      "client/decide/conflict.ts",
      "edit = raisedEdit(definition, operation, lastServer ?? null);",
      "edit = operation;",
    ),
  ),
  mutant(
    "a correction takes the edit as it was made",
    "H7",
    patch(
      "client/scripts/desk-actions.ts",
      "const operation = raisedEdit(definition, stored, workspace.baseOf(collection, entityId));",
      "const operation = stored;",
    ),
  ),
];

/** What a till stores. */
const stored: readonly Mutant[] = [
  mutant(
    "a row is written without its version",
    "H7",
    patch(
      "client/decide/workspace.ts",
      "schemaVersion: schemaVersion === 1 ? undefined : schemaVersion,",
      "schemaVersion: undefined,",
    ),
  ),
  mutant(
    "a row of an answer keeps its old label when it is raised",
    "H7",
    patch(
      "client/decide/workspace.ts",
      "row.schemaVersion = now ? definition.schemaVersion : schemaVersion;",
      "row.schemaVersion = schemaVersion;",
    ),
  ),
  mutant(
    "a stored row is labelled anew without being raised",
    "H7",
    patch("client/state/versions.ts", "    next[side] = now;", "    next[side] = data;"),
  ),
  mutant(
    "a stored edit is replayed as it was made",
    "H7",
    patch(
      "client/decide/workspace.ts",
      "const replayed = edits.map((edit) => editNow(definition, edit, base)).filter((edit) => edit !== undefined);",
      "const replayed = edits;",
    ),
  ),
  mutant(
    "an edit of a newer app is shown by an older one",
    "H7",
    patch("client/decide/edit-now.ts", "if (operation.schemaVersion > definition.schemaVersion) return undefined;", ""),
  ),
  mutant(
    "the version of a row in an answer is passed over",
    "H7",
    patch(
      "client/decide/workspace.ts",
      "const now = raised(collection, definition, schemaVersion, data,",
      "const now = raised(collection, definition, definition.schemaVersion, data,",
    ),
  ),
  mutant(
    "an older app takes the rows of a newer server for its own",
    "H7",
    patch(
      "server/decide/pull.ts",
      "else if ((schemaVersions.get(name) ??",
      "else if (false && (schemaVersions.get(name) ??",
    ),
    patch(
      "client/decide/pull-page.ts",
      '> appVersion ? "schema_older" : undefined;',
      "> appVersion ? undefined : undefined;",
    ),
    patch(
      "client/decide/pull-page.ts",
      "workspace.setBase(collection, id, version, data, schemaVersion);",
      "workspace.setBase(collection, id, version, data, Math.min(schemaVersion ?? appVersion, appVersion));",
    ),
  ),
  mutant(
    "what an older app did is not in its row until it is updated",
    "H7",
    patch(
      "client/decide/results.ts",
      "if (data) return own ? { data: own } : undefined;",
      "if (data) return undefined;",
    ),
  ),
  mutant(
    "what an older app guessed of a row is never replaced",
    "S4",
    patch(
      "client/decide/workspace.ts",
      "(known.guessed ? version < known.version : version <= known.version);",
      "version <= known.version;",
    ),
  ),
  mutant(
    "an older app's row takes the version of what it can't read",
    "S10",
    patch(
      "client/decide/results.ts",
      "if (data) return own ? { data: own } : undefined;",
      "if (data) return own ? { version, data: own, schemaVersion } : undefined;",
    ),
  ),
  mutant(
    "an index has keys of the version in which a row was stored",
    "H7",
    patch(
      "client/state/tables.ts",
      "rowKeys(fields, rowNow(name, collection, value as StoredRow))",
      "rowKeys(fields, value as StoredRow)",
    ),
  ),
  mutant(
    "an app that was rolled back pulls nothing again",
    "H7",
    patch("client/scripts/app-versions.ts", "if (lowered.length > 0) {", "if (lowered.length > 99) {"),
  ),
  mutant(
    "a row that can't be read loses its base",
    "H7",
    patch("client/state/versions.ts", "...(base !== undefined && { base })", ""),
  ),
  mutant(
    "a row that could not be read stays hidden from the app that can read it",
    "S4",
    patch(
      "client/state/versions.ts",
      'return wasUnreadable ? { ...omit(next as StoredRow, "base"), data: base } : next;',
      "return next;",
    ),
  ),
  mutant(
    "one collection that waits keeps the pages of all from being stored",
    "H7",
    patch(
      "client/scripts/answer.ts",
      "    pages: known.flatMap(({ name, page, waits }) =>",
      "    pages: known.some(({ waits }) => waits !== undefined) ? [] : known.flatMap(({ name, page, waits }) =>",
    ),
  ),
];

/** What a server makes of other versions. */
const served: readonly Mutant[] = [
  mutant(
    "an older server judges by a row that it can't read",
    "H7",
    patch(
      "server/decide/rows/rows.ts",
      "if (row.schemaVersion > schemaVersion) throw new NewerRow(served.name, row.id, row.schemaVersion, schemaVersion);",
      "if (row.schemaVersion > schemaVersion) return { ...row, schemaVersion };",
    ),
  ),
  mutant(
    "an older server takes what a newer app has made for its own",
    "H7",
    patch(
      "server/decide/operation/current-schema.ts",
      "  if (from > resolved.schemaVersion) {",
      "  if (from > resolved.schemaVersion) return { operation };\n  if (from > resolved.schemaVersion) {",
    ),
  ),
  mutant(
    "a server takes what an older app has made as it is",
    "H7",
    patch(
      "server/decide/operation/current-schema.ts",
      "if (from === resolved.schemaVersion) return { operation };",
      "if (from <= resolved.schemaVersion) return { operation };",
    ),
  ),
  mutant(
    "an older server sends rows of a newer one as its own",
    "H7",
    patch(
      "server/decide/rows/change-text.ts",
      'const label = schemaVersion === served.resolved.schemaVersion ? "" :',
      'const label = true ? "" :',
    ),
  ),
  mutant(
    "a row in a result does not name its version",
    "H7",
    patch(
      "server/decide/rows/rows.ts",
      "return schemaVersion === 1 ? {} : { schemaVersion };",
      "return schemaVersion >= 1 ? {} : { schemaVersion };",
    ),
  ),
  mutant(
    "a page does not name its version",
    "H7",
    patch(
      "server/decide/pull.ts",
      "(schemaVersions.get(name) ?? 1) === schemaVersion ? {}",
      "(schemaVersions.get(name) ?? 1) >= 1 ? {}",
    ),
  ),
  mutant(
    "a renamed field does not take over who has written it",
    "C5",
    patch("server/decide/rows/rows.ts", "fields: upcastFields(row, data), schemaVersion", "schemaVersion"),
  ),
  mutant(
    "a cursor of another schema version passes",
    "H7",
    patch("server/decide/pull.ts", "    cursor.schemaVersion === served.resolved.schemaVersion &&\n", ""),
  ),
  mutant(
    "one unknown collection stops the pull",
    "L6",
    patch(
      "server/decide/pull.ts",
      'if (served === undefined) waiting.set(name, "unknown_collection");',
      "if (served === undefined) throw new Error(name);",
    ),
  ),
  mutant(
    "the cursor runs ahead of the rows that an older app is not sent",
    "S4",
    patch(
      "server/decide/pull.ts",
      "served === undefined || waiting.has(name)) continue;",
      `served === undefined) continue;
    if (waiting.delete(name)) {
      const start = claim ?? (yield* firstCursor({ served, principal, upTo }, ws.clock.epoch));
      pages.set(name, { changes: [], cursor: { ...start, position: Math.max(start.position, upTo) }, more: false });
      continue;
    }`,
    ),
  ),
];

/** How an edit is raised. */
const raised: readonly Mutant[] = [
  mutant(
    "a step runs on the patch alone",
    "H7",
    patch(
      "schema/upcast.ts",
      "  if (edit.before !== undefined)\n    return raise(",
      "  if (edit !== undefined) return { ...edit, patch: upcastData(name, resolved, from, edit.patch) };\n  if (edit.before !== undefined)\n    return raise(",
    ),
  ),
  mutant(
    "what a step fills in counts as edited",
    "H7",
    patch("schema/upcast.ts", "of changes(after, edited, patch)) {", "of changes(plain, edited, patch)) {"),
  ),
  mutant(
    "a removal is lost when an edit is raised",
    "H7",
    patch("schema/upcast.ts", "unset: [...removed].filter((name) => !Object.hasOwn(set, name)) };", "unset: [] };"),
  ),
  mutant(
    "a removal of what the record lacks is lost when an edit is raised",
    "H7",
    patch("schema/upcast.ts", "if (gone.length === 0) return raise(", "if (gone.length >= 0) return raise("),
  ),
  mutant(
    "an edit to the value that is there already is lost when it is raised",
    "H7",
    patch("schema/upcast.ts", "return isSame && !(to !== NO_JSON", "return isSame || !(to !== NO_JSON"),
  ),
  mutant(
    "the office sees the sides of a conflict as they were made",
    "H7",
    patch(
      "server/decide/conflict-now.ts",
      "if (served === undefined || from >= served.resolved.schemaVersion)",
      "if (served === undefined || from >= 1)",
    ),
  ),
  mutant(
    "a till's desk shows the sides of a conflict as they were made",
    "H7",
    patch(
      "client/decide/desk-view.ts",
      "data && definition ? raised(conflict.collection, definition, versionOf(conflict), data) : data;",
      "data;",
    ),
  ),
];

export const versions: readonly Mutant[] = [...sent, ...stored, ...served, ...raised];
