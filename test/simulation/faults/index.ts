/** Everything that may go wrong. */
import type { Fault } from "./fault.ts";
import { network } from "./network.ts";
import { people } from "./people.ts";
import { server } from "./server.ts";
import { till } from "./till.ts";
import { time } from "./time.ts";
import { versions } from "./versions.ts";

export const faults: readonly Fault[] = [...network, ...till, ...server, ...time, ...people, ...versions];

const byKind = new Map(faults.map((fault) => [fault.kind, fault]));

export function faultOf(kind: string): Fault {
  const fault = byKind.get(kind);
  if (fault === undefined) throw new Error(`There is no fault "${kind}".`);
  return fault;
}
