/**
 * The platform that the production code finds: its timers and its clock are virtual, and nothing in it takes real time. Imported before
 * anything else.
 *
 * What comes through a port is given by the run. These few are asked of the platform itself by the HTTP transport (deadlines, round trips,
 * compression); a platform without compression streams is one that the transport knows.
 */
import { Timeline, type Timer } from "./timeline.ts";

/** What the other end of a channel does with it. */
export type Dialled = (socket: SimSocket, protocols: readonly string[]) => void;

/** Of the run that is under way. `hosts`: who answers under the name of a host. */
export const platform = { timeline: new Timeline(), hosts: new Map<string, Dialled>() };

const timers = new Map<number, Timer>();
let made = 0;

const virtual = {
  setTimeout: (run: () => void, ms = 0) => {
    const id = ++made;
    timers.set(
      id,
      platform.timeline.after(ms, () => {
        timers.delete(id);
        run();
      }),
    );
    return id;
  },
  clearTimeout: (id: number | undefined) => {
    if (id === undefined) return;
    timers.get(id)?.cancel();
    timers.delete(id);
  },
  setImmediate: (run: () => void) => void platform.timeline.after(0, run),
  CompressionStream: undefined,
};

/** A WebSocket as the platform offers it; what becomes of it decides whoever is behind the host. */
export class SimSocket extends EventTarget {
  protocol = "";
  isClosed = false;
  /** Told when the client has closed it. */
  onclosed: (() => void) | undefined;

  constructor(url: string | URL, protocols: readonly string[]) {
    super();
    platform.hosts.get(new URL(url).hostname)?.(this, protocols);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onclosed?.();
  }

  open(protocol: string): void {
    this.protocol = protocol;
    if (!this.isClosed) this.dispatchEvent(new Event("open"));
  }

  receive(data: string): void {
    if (!this.isClosed) this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  /** It broke, or the other end has closed it. */
  break(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.dispatchEvent(new Event("close"));
  }
}

export function installPlatform(): void {
  Object.assign(globalThis, virtual, { WebSocket: SimSocket });
  performance.now = () => platform.timeline.now;
}

/** A run begins with no timer of the one before. */
export function newTimeline(): Timeline {
  timers.clear();
  platform.timeline = new Timeline();
  platform.hosts = new Map();
  return platform.timeline;
}
