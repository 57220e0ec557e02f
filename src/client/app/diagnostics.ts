/** What a support ticket needs: states, counts and errors. No record data, no tokens, no names of people. */
import { rfc3339 } from "../../shared/rfc3339.ts";
import { isIn, type StoredOperation } from "../state/operation.ts";
import { OPERATIONS, STATE_INDEX, stateRange } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { ClientState } from "../tab/client-state.ts";
import type { Diagnostics } from "../types/client.ts";
import type { SyncStatus } from "../types/status.ts";

/** How many operations are listed of each state. They are the oldest ones, because those are stuck. */
const LISTED = 50;

/** Reads the store, and returns a text to attach to a ticket. `now`: epoch ms. */
export async function diagnose({
  store,
  clientState,
  status,
  now,
}: {
  readonly store: LocalStore;
  readonly clientState: ClientState;
  readonly status: SyncStatus;
  readonly now: number;
}): Promise<Diagnostics> {
  const states = ["pending", "blocked", "conflict", "rejected", "quarantined"];
  const scans = await Promise.all(
    states.map((state) =>
      store.scan<StoredOperation>(OPERATIONS, { index: STATE_INDEX, range: stateRange(state), limit: LISTED }),
    ),
  );
  const createdAt = rfc3339(now);
  const content = {
    format: 1,
    createdAt,
    status: {
      ...status,
      ...(status.phase === "failed" && { error: { code: status.error.code, message: status.error.message } }),
    },
    device: {
      id: clientState.identity?.deviceId,
      incarnation: clientState.identity?.incarnation,
      number: clientState.identity?.number,
    },
    epoch: clientState.point.epoch,
    fence: clientState.point.fence,
    collections: Object.entries(clientState.cursors).map(([name, { waits, received, complete, generation }]) => ({
      name,
      waits,
      received,
      complete,
      generation,
    })),
    operations: scans.flat().map(({ value }) => ({
      id: value.id,
      sequence: value.sequence,
      collection: value.collection,
      action: value.action,
      state: value.status.state,
      attempts: value.attempts,
      occurredAt: value.occurredAt,
      blockedBy: isIn(value, "blocked") ? value.status.blockedBy : undefined,
      code: "error" in value.status ? value.status.error?.code : undefined,
    })),
  };
  return { createdAt, text: JSON.stringify(content, null, 2) };
}
