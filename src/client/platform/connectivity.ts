/** The default Connectivity port: the browser's hints, where there is a browser. */
import type { Connectivity } from "../ports/connectivity.ts";

interface EventSource {
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener(type: string, listener: (event: PageEvent) => void): void;
}
/** `persisted`: into, or out of, the back/forward cache. */
interface PageEvent {
  readonly persisted?: boolean;
}
interface Platform extends Partial<EventSource> {
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: EventSource & { readonly visibilityState?: string };
}

const platform = (): Platform => globalThis as unknown as Platform;

/** `pageshow` and `resume`: a page that comes back from the back/forward cache or a freeze has missed every event between. */
const HINTS = { online: "online", offline: "offline", pageshow: "resumed", focus: "visible" } as const;
const OF_THE_DOCUMENT = { resume: "resumed", freeze: "frozen" } as const;

export const platformConnectivity: Connectivity = {
  "~port": "connectivity",
  online: () => platform().navigator?.onLine !== false,
  subscribe(listener) {
    const { document } = platform();
    const undo: (() => void)[] = [];
    const listen = (source: Partial<EventSource> | undefined, type: string, react: (event: PageEvent) => void) => {
      source?.addEventListener?.(type, react);
      undo.push(() => source?.removeEventListener?.(type, react));
    };
    for (const [type, hint] of Object.entries(HINTS)) listen(platform(), type, () => listener(hint));
    for (const [type, hint] of Object.entries(OF_THE_DOCUMENT)) listen(document, type, () => listener(hint));
    listen(platform(), "pagehide", ({ persisted }) => persisted && listener("frozen"));
    listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("visible"));
    return () => {
      for (const stop of undo) stop();
    };
  },
};
