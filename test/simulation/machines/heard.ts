/** What the answers said that a tab has got, as the invariants ask for it later. */
import type { Change } from "../../../src/protocol/types.ts";
import type { Tab } from "./tab.ts";

export interface HeardAnswer {
  /** As which incarnation, and in which epoch, it had asked. */
  readonly askers: Set<string>;
  /** Rows that the answer said were deleted. */
  readonly deleted: { readonly subject: string; readonly version: number; readonly by?: string }[];
}

export type Lane = "push" | "pull";

/** An answer is known by its mark again, when the till writes that down. Both lanes may have been given the same mark. */
export const heardAs = (lane: Lane, mark: string) => `${lane} ${mark}`;

export function noteAnswer({ answered, machine }: Tab, lane: Lane, asker: string, text: string): void {
  const answer = parsed(text);
  const key = heardAs(lane, answer.mark);
  const { askers, deleted } = answered.get(key) ?? { askers: new Set<string>(), deleted: [] };
  askers.add(asker);
  for (const { id, status, deleted: isDeleted, version = 0 } of answer.results) {
    const operation = machine.world.model.operations.get(id)?.operation;
    if (status === "applied" && isDeleted && operation)
      deleted.push({ subject: `${operation.collection}/${operation.entityId}`, version, by: id });
  }
  for (const [collection, { changes }] of Object.entries(answer.pages ?? {}))
    for (const { id, version, deleted: isDeleted } of changes)
      if (isDeleted) deleted.push({ subject: `${collection}/${id}`, version });
  answered.set(key, { askers, deleted });
}

interface HeardBody {
  readonly mark: string;
  readonly results: readonly {
    readonly id: string;
    readonly status: string;
    readonly version?: number;
    readonly server?: { readonly version: number };
    readonly deleted?: boolean;
    readonly replayed?: boolean;
  }[];
  readonly pages?: Readonly<Record<string, { readonly changes: readonly Change[] }>>;
}

/** The highest version of a row that the answer names; 0 if it names none. */
export function highestVersion({ results, pages = {} }: HeardBody): number {
  const inResults = results.flatMap(({ version = 0, server }) => [version, server?.version ?? 0]);
  const inPages = Object.values(pages).flatMap(({ changes }) => changes.map(({ version }) => version));
  return Math.max(0, ...inResults, ...inPages);
}

/** It may have been cut, or be somebody else's. */
export function parsed(text: string): HeardBody {
  try {
    const { mark = "", results = [], pages } = JSON.parse(text) as Partial<HeardBody>;
    return { mark, results, ...(pages && { pages }) };
  } catch {
    return { mark: "", results: [] };
  }
}
