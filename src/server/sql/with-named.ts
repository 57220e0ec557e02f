import type { IncarnationRow } from "../ports/rows.ts";

/** The newest incarnations, and the one that was asked for by its name, once. */
export function withNamed(
  newest: readonly IncarnationRow[],
  named: readonly IncarnationRow[],
): readonly IncarnationRow[] {
  const isNew = (row: IncarnationRow) => !newest.some(({ incarnation }) => incarnation === row.incarnation);
  return [...newest, ...named.filter(isNew)];
}
