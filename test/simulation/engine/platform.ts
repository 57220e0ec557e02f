/**
 * The platform that the production code finds: its timers and its clock are virtual, and nothing in it takes real time. Imported before
 * anything else.
 *
 * What comes through a port is given by the run. These few are asked of the platform itself by the HTTP transport (deadlines, round trips,
 * compression); a platform without compression streams is one that the transport knows.
 */
import { Timeline, type Timer } from "./timeline.ts";

/** Of the run that is under way. */
export const platform = { timeline: new Timeline() };

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

export function installPlatform(): void {
  Object.assign(globalThis, virtual);
  performance.now = () => platform.timeline.now;
}

/** A run begins with no timer of the one before. */
export function newTimeline(): Timeline {
  timers.clear();
  platform.timeline = new Timeline();
  return platform.timeline;
}
