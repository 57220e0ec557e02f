/** Facts open and close shifts, also offline; the state of a shift is computed from them here. */
import type { Effect, PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";
import { clockFlags, type Flags, ofAnotherBranch, setAside } from "./facts.ts";

type ShiftEvent = Shop["shiftEvents"]["~shape"]["record"];
type Shift = Shop["shifts"]["~shape"]["record"];

export const shiftEvents: PolicyFor<Shop, "shiftEvents"> = {
  scope: { branch: (event) => event.branchId },
  allow: { read: "everyone", create: SCOPES.runShift },
  reads: ({ operation: { data } }) => ({ shifts: [data.shiftId] }),
  decide(input) {
    const event = input.operation.data;
    const doubts = ofAnotherBranch(input.principal, event.branchId);
    const shift = input.rows.shifts.get(event.shiftId);
    const isForeign = shift !== undefined && shift.branchId !== event.branchId;
    if (isForeign) doubts.push({ code: "branch_mismatch", message: "It names a shift of another branch" });
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;
    const flags: Flags = [...doubts, ...clockFlags(input)];
    // A till does not close another branch's shift, even if a person has released the event.
    if (isForeign) return { outcome: "applied", flags };
    if (shift?.closedAt !== undefined) {
      flags.push({ code: event.type === "closed" ? "already_closed" : "late_arrival", message: shift.id });
    }
    const effect = effectOn(shift, event);
    return { outcome: "applied", flags, effects: effect === undefined ? [] : [effect] };
  },
};

/** The first opening and the first closing count, in whatever order they arrive. */
function effectOn(shift: Shift | undefined, event: ShiftEvent): Effect<Shop> | undefined {
  const { shiftId, branchId, happenedAt, cashierId } = event;
  const change = changeOf(shift, event.type, happenedAt, cashierId);
  if (change === undefined) return undefined;
  if (shift === undefined) return { collection: "shifts", id: shiftId, create: { branchId, ...change } };
  return { collection: "shifts", id: shiftId, patch: change };
}

function changeOf(shift: Shift | undefined, type: ShiftEvent["type"], at: number, by: string | undefined) {
  if (type === "opened" && shift?.openedAt === undefined) return { openedAt: at, ...(by && { openedBy: by }) };
  if (type === "closed" && shift?.closedAt === undefined) return { closedAt: at, ...(by && { closedBy: by }) };
  return undefined;
}

export const shifts: PolicyFor<Shop, "shifts"> = {
  scope: { branch: (shift) => shift.branchId },
  allow: { read: "everyone", create: "nobody", update: "nobody", delete: "nobody" },
};
