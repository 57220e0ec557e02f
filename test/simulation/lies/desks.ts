/** It sits down at a desk that is not its own. */
import { LIAR } from "../sim-shop.ts";
import type { Lie } from "./lie.ts";

interface Listed {
  readonly conflicts?: readonly { readonly id: string; readonly device: string }[];
  readonly quarantined?: readonly { readonly operation: { readonly id: string }; readonly device: string }[];
}

export const desks: readonly Lie[] = [
  {
    kind: "desk_without_right",
    weight: 4,
    async tell(liar, draw) {
      const rows = liar.rows();
      const aside = (rows.operations ?? []).filter(({ status }) => status === "quarantined").map(({ id }) => id);
      const conflicts = (rows.conflicts ?? []).filter(({ settled }) => settled === undefined).map(({ id }) => id);
      const isConflict = conflicts.length > 0 && draw.chance(0.4);
      const known = isConflict ? conflicts : aside;
      if (known.length === 0) return undefined;
      const id = draw.pick(known);
      const path = isConflict ? `conflicts/${id}/resolve` : `quarantine/${id}/${draw.pick(["release", "discard"])}`;
      const body = isConflict ? { choice: draw.pick(["client", "server"]) } : { reason: "a lie" };
      const { status } = await liar.post(path, JSON.stringify(body));
      if (status === 200) liar.world.violation("S18", `liar settled ${path}`);
      return `${path} ${status}`;
    },
  },
  {
    kind: "desk_of_others",
    weight: 3,
    async tell(liar, draw) {
      const path = draw.pick(["conflicts", "quarantine", "conflicts?state=settled", "quarantine?after=0"]);
      const { status, body } = await liar.get(path);
      const { conflicts = [], quarantined = [] } = body as Listed;
      for (const { device } of [...conflicts, ...quarantined])
        if (device !== LIAR) liar.world.violation("S18", `liar was shown what ${device} has on a desk`);
      return `${status} ${conflicts.length + quarantined.length}`;
    },
  },
];
