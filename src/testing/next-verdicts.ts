/** `rejectNext` and `quarantineNext`: a test decides about the next operation, and the policy is not asked. */
import type { LoosePolicy } from "../server/decide/rows/catalog.ts";

interface NextVerdict {
  readonly outcome: "rejected" | "quarantined";
  readonly code: string;
  readonly message: string;
}

interface Asked {
  readonly operation: { readonly id: string };
  readonly receivedAt: number;
}

export function nextVerdicts() {
  const waiting = new Map<string, NextVerdict[]>();
  const given = new Map<string, NextVerdict>();

  /** A decision may run more than once for one request, with the same outcome: the verdict stays with its operation. */
  const take = (collection: string, { operation, receivedAt }: Asked): NextVerdict | undefined => {
    const request = `${operation.id} ${receivedAt}`;
    const verdict = given.get(request) ?? waiting.get(collection)?.shift();
    if (verdict !== undefined) given.set(request, verdict);
    return verdict;
  };

  return {
    add(collection: string, verdict: NextVerdict): void {
      waiting.set(collection, [...(waiting.get(collection) ?? []), verdict]);
    },
    /** The same policies, asked only if no verdict is waiting. */
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
