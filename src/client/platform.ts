/** The default Connectivity port: the browser's hints, where there is a browser. (client; the one file of it that asks the platform) */
import type { Connectivity } from "./ports/connectivity.ts";

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}
interface Platform extends Partial<EventSource> {
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: EventSource & { readonly visibilityState?: string };
}

const platform = (): Platform => globalThis as unknown as Platform;

/** `pageshow` and `resume`: a page that comes back from the back/forward cache or a freeze has missed every event between. */
const HINTS = { online: "online", offline: "offline", pageshow: "resumed", focus: "visible" } as const;

export const platformConnectivity: Connectivity = {
  "~port": "connectivity",
  online: () => platform().navigator?.onLine !== false,
  subscribe(listener) {
    const { document } = platform();
    const undo: (() => void)[] = [];
    const listen = (source: Partial<EventSource> | undefined, type: string, react: () => void) => {
      source?.addEventListener?.(type, react);
      undo.push(() => source?.removeEventListener?.(type, react));
    };
    for (const [type, hint] of Object.entries(HINTS)) listen(platform(), type, () => listener(hint));
    listen(document, "resume", () => listener("resumed"));
    listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("visible"));
    return () => {
      for (const stop of undo) stop();
    };
  },
};
