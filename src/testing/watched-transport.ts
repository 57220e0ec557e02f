/** A transport whose calls a fake clock waits for: time doesn't move while a request is under way. */
import type { Transport } from "../client/ports/transport.ts";
import type { WorkWatch } from "./fake-clock.ts";

export function watched(transport: Transport, clock: WorkWatch): Transport {
  return {
    ...transport,
    register: (request, call) => clock.during(() => transport.register(request, call)),
    push: (request, call) => clock.during(() => transport.push(request, call)),
    pull: (request, call) => clock.during(() => transport.pull(request, call)),
    time: (call) => clock.during(() => transport.time(call)),
  };
}
