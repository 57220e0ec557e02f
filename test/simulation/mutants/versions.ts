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
      "client/decide/conflict-sides.ts",
      "edit = raisedEdit(definition, operation, lastServer ?? null);",
      "edit = operation;",
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
      "...versionLabel(readable ? definition.schemaVersion : versionOf(row)),",
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
      "client/decide/base-after.ts",
      "return own && version > before.version ? { data: own } : undefined;",
      "return own && !data && version > before.version ? { data: own } : undefined;",
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
      "client/decide/base-after.ts",
      "return own && version > before.version ? { data: own } : undefined;",
      "return own && data ? { version, data: own, schemaVersion } : undefined;",
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
    patch("schema/upcast.ts", "?? after, edited, patch)) {", "?? plain, edited, patch)) {"),
  ),
  mutant(
    "an edit to the value that is there already is lost when it is raised",
    "H7",
    patch("schema/upcast.ts", "return isSame && !(to !== undefined", "return isSame || !(to !== undefined"),
  ),
];

export const versions: readonly Mutant[] = [...sent, ...stored, ...served, ...raised];
