/** What the platform's hints mean for the loop. Pure. */
import type { ConnectivityHint } from "../ports/connectivity.ts";
import type { MachineEvent } from "./sync-machine.ts";

/** @param auto whether the loop runs by itself */
export function hintEvents(hint: ConnectivityHint, auto: boolean): readonly MachineEvent[] {
  switch (hint) {
    case "online":
      return [{ kind: "wake", why: "online" }];
    // Going offline too: hints are tried and not believed, and a till with nothing to send would show "online" until it polls.
    case "offline":
    case "visible":
      return [{ kind: "wake", why: "visible" }];
    // A page that stands still must not keep the others from syncing.
    case "frozen":
      return [{ kind: "stop" }];
    case "resumed":
      return [...(auto ? [{ kind: "start" } as const] : []), { kind: "wake", why: "visible" }];
  }
}

/** Whether others may have written meanwhile without being heard. */
export function mayHaveMissed(hint: ConnectivityHint): boolean {
  return hint === "resumed" || hint === "visible";
}
