/** Devices and the incarnations of their stores: their numbers, and which sequence numbers have arrived. */
import type { RegisterRequest } from "../../../protocol/types.ts";
import type { DeviceRow, IncarnationRow } from "../../ports/rows.ts";
import type { Sender } from "./sender.ts";
import type { WorkingSet } from "./working-set.ts";

type Named = Pick<RegisterRequest["device"], "name" | "os" | "appVersion">;

/** The device's row. It is made at the first contact, whichever call that is. */
export function knownDevice(ws: WorkingSet, { device, principal, receivedAt }: Sender): DeviceRow {
  return (
    ws.device(device) ?? {
      id: device,
      name: undefined,
      os: undefined,
      appVersion: undefined,
      branch: principal.branch,
      registeredAt: receivedAt,
      revokedAt: undefined,
      lastPushAt: undefined,
    }
  );
}

/** Stores of one device that may become known in a day. A browser that forgets everything begins one each time. */
const NEW_INCARNATIONS_PER_DAY = 50;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Whether the incarnation is known, or may become so: their number is not in the hands of whoever has a token (L12). */
export function mayEnrol(ws: WorkingSet, { device, incarnation, receivedAt }: Sender): boolean {
  if (ws.incarnation(device, incarnation) !== undefined) return true;
  const isRecent = ({ registeredAt }: IncarnationRow) => registeredAt > receivedAt - DAY_MS;
  return ws.newestIncarnations(device).filter(isRecent).length < NEW_INCARNATIONS_PER_DAY;
}

/**
 * The incarnation's row. No two incarnations share a number: two clones must not print the same receipt numbers [C7].
 */
export function enrolled(
  ws: WorkingSet,
  { device, incarnation, receivedAt }: Sender,
  firstSequence?: number | undefined,
): IncarnationRow {
  const known = ws.incarnation(device, incarnation);
  if (known !== undefined) return counting(ws, known, firstSequence);
  const number = ws.clock.deviceNumber + 1;
  ws.setClock({ ...ws.clock, deviceNumber: number });
  const row: IncarnationRow = {
    incarnation,
    device,
    number,
    registeredAt: receivedAt,
    firstSequence,
    lastSequence: 0,
    received: 0,
  };
  ws.putIncarnation(row);
  return row;
}

/** What has arrived already was counted from another number. So a number that is named later comes too late. */
function counting(ws: WorkingSet, known: IncarnationRow, firstSequence: number | undefined): IncarnationRow {
  if (firstSequence === undefined || firstSequence === known.firstSequence || known.lastSequence > 0) return known;
  const row = { ...known, firstSequence };
  ws.putIncarnation(row);
  return row;
}

export interface Registration {
  readonly number: number;
  readonly registeredAt: number;
  readonly lastSequence: number;
  readonly unsynced: readonly {
    readonly incarnation: string;
    readonly lastSequence: number;
    readonly missing: number;
  }[];
}

/** Idempotent. */
export function register(
  ws: WorkingSet,
  session: Sender,
  { named, firstSequence }: { readonly named: Named; readonly firstSequence?: number | undefined },
): Registration {
  const before = knownDevice(ws, session);
  const { principal } = session;
  const row: DeviceRow = {
    ...before,
    branch: principal.branch,
    name: named.name ?? before.name,
    os: named.os ?? before.os,
    appVersion: named.appVersion ?? before.appVersion,
  };
  ws.putDevice(row);
  const { number, lastSequence } = enrolled(ws, session, firstSequence);
  const others = ws.newestIncarnations(session.device).filter(({ incarnation }) => incarnation !== session.incarnation);
  const unsynced = others
    .filter((other) => other.lastSequence > 0)
    .map((other) => ({ incarnation: other.incarnation, lastSequence: other.lastSequence, missing: missingOf(other) }))
    .sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
  return { number, registeredAt: row.registeredAt, lastSequence, unsynced };
}

/**
 * How many sequence numbers between the first and the last never arrived [M6]. The first need not be 1: a fork
 * continues counting, and what it still sends of the numbers before it may have arrived from its clone.
 */
function missingOf({ firstSequence, lastSequence, received }: IncarnationRow): number {
  return firstSequence === undefined ? 0 : Math.max(0, lastSequence - firstSequence + 1 - received);
}

/** Records a push, and the sequence numbers that arrived with it for the first time. */
export function noteReceived(ws: WorkingSet, session: Sender, sequences: readonly number[]): void {
  ws.putDevice({ ...knownDevice(ws, session), lastPushAt: session.receivedAt });
  const row = enrolled(ws, session);
  if (sequences.length === 0) return;
  const firstSequence = row.firstSequence ?? Math.min(...sequences);
  ws.putIncarnation({
    ...row,
    firstSequence,
    lastSequence: Math.max(row.lastSequence, ...sequences),
    received: row.received + sequences.filter((sequence) => sequence >= firstSequence).length,
  });
}
