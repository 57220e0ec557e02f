/**
 * The default Coordinator: in a browser, the locks and channels that its tabs share; elsewhere, the clients of one
 * process take turns.
 */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import type { OpenChannel } from "./broadcasts.ts";
import { inProcess } from "./in-process.ts";
import { leases } from "./leases.ts";
import { type Locks, locks } from "./locks.ts";

interface Platform {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
  readonly navigator?: { readonly locks?: Locks };
  readonly BroadcastChannel?: new (name: string) => ReturnType<NonNullable<OpenChannel>>;
}

const platform = (): Platform => globalThis as unknown as Platform;

export function platformCoordinator(clock: Clock, random: Random): Coordinator {
  const { document, WorkerGlobalScope, navigator, BroadcastChannel } = platform();
  // Node has both too, but only within one process, and an open channel keeps the process from ending.
  if (document === undefined && WorkerGlobalScope === undefined) return inProcess;
  const channel = (BroadcastChannel && ((name: string) => new BroadcastChannel(name))) as OpenChannel;
  const parts = { channel, clock, random };
  return navigator?.locks ? locks({ ...parts, locks: navigator.locks }) : leases(parts);
}
