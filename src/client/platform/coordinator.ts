/**
 * The default Coordinator: in a browser, the locks and channels that its tabs share; elsewhere, the clients of one
 * process take turns.
 */
import type { Clock } from "../../shared/clock.ts";
import { fromPlatform } from "../../shared/from-platform.ts";
import type { Random } from "../../shared/random.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import type { Channel, OpenChannel } from "./broadcasts.ts";
import { inProcess } from "./in-process.ts";
import { leases } from "./leases.ts";
import { type Locks, locks } from "./locks.ts";

interface Platform {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
  readonly navigator?: { readonly locks?: Locks };
  readonly BroadcastChannel?: new (name: string) => ReturnType<NonNullable<OpenChannel>>;
}

export function platformCoordinator(clock: Clock, random: Random): Coordinator {
  // Node has locks and channels too, but only within one process, and an open channel keeps the process from ending.
  const isBrowser = fromPlatform((it: Platform) => it.document !== undefined || it.WorkerGlobalScope !== undefined);
  if (!isBrowser) return inProcess;
  const channel = openChannel();
  const parts = { channel, clock, random };
  const platformLocks = fromPlatform((it: Platform) => it.navigator?.locks);
  return platformLocks ? locks({ ...parts, locks: platformLocks }) : leases(parts);
}

function openChannel(): OpenChannel {
  const BroadcastChannel = fromPlatform((it: Platform) => it.BroadcastChannel);
  if (BroadcastChannel === undefined) return undefined;
  return <M>(name: string) => new BroadcastChannel(name) as Channel<M>;
}
