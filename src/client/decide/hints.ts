/** What the platform's hints mean for the loop. Pure. */
import type { ConnectivityHint } from "../ports/connectivity.ts";
import type { MachineEvent } from "./sync-machine.ts";

/** The events that a hint causes. @param auto whether a loop runs in the background */
export function hintEvents(hint: ConnectivityHint, auto: boolean): readonly MachineEvent[] {
  switch (hint) {
    case "online":
      return [{ kind: "wake", why: "online" }];
    // `offline` also causes requests: a hint may be wrong, so a request has to confirm it. Otherwise a till with
    // nothing to send would show "online" until its next poll.
    case "offline":
    case "visible":
      return [{ kind: "wake", why: "visible" }];
    // A frozen page must not keep other tabs from syncing.
    case "frozen":
      return [{ kind: "stop" }];
    case "resumed":
      return [...(auto ? [{ kind: "start" } as const] : []), { kind: "wake", why: "visible" }];
  }
}

/** Whether other tabs may have written in the meantime without this one receiving their messages. */
export function mayHaveMissed(hint: ConnectivityHint): boolean {
  return hint === "resumed" || hint === "visible";
}
