/** `rejectNext` and `quarantineNext`: a test's word on the next operation, before any policy has one. */
import type { LoosePolicy } from "../server/decide/rows/catalog.ts";

interface Verdict {
  readonly outcome: "rejected" | "quarantined";
  readonly code: string;
  readonly message: string;
}

interface Asked {
  readonly operation: { readonly id: string };
  readonly receivedAt: number;
}

export function nextVerdicts() {
  const waiting = new Map<string, Verdict[]>();
  const given = new Map<string, Verdict>();

  /** A decision may be run more than once for one request, and must come to the same: the verdict stays with its operation. */
  const take = (collection: string, { operation, receivedAt }: Asked): Verdict | undefined => {
    const request = `${operation.id} ${receivedAt}`;
    const verdict = given.get(request) ?? waiting.get(collection)?.shift();
    if (verdict !== undefined) given.set(request, verdict);
    return verdict;
  };

  return {
    add(collection: string, verdict: Verdict): void {
      waiting.set(collection, [...(waiting.get(collection) ?? []), verdict]);
    },
    /** The same policies, which ask here first. */
    before(policies: Readonly<Record<string, LoosePolicy>>): Readonly<Record<string, LoosePolicy>> {
      return Object.fromEntries(
        Object.entries(policies).map(([name, policy]) => [
          name,
          {
            ...policy,
            decide: (input: object) => take(name, input as Asked) ?? policy.decide?.(input) ?? { outcome: "applied" },
          },
        ]),
      );
    },
  };
}
