/** The default Connectivity port: the browser's hints, if there is a browser. */

import { fromPlatform } from "../../shared/from-platform.ts";
import type { Connectivity } from "../ports/connectivity.ts";

interface EventSource {
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener(type: string, listener: (event: PageEvent) => void): void;
}
/** `persisted`: the page enters or leaves the back/forward cache. */
interface PageEvent {
  readonly persisted?: boolean;
}
interface Platform extends Partial<EventSource> {
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: EventSource & { readonly visibilityState?: string };
}

/**
 * `pageshow` and `resume`: a page that returns from the back/forward cache or from a freeze has missed every event in
 * between.
 */
const WINDOW_EVENTS = { online: "online", offline: "offline", pageshow: "resumed", focus: "visible" } as const;
const DOCUMENT_EVENTS = { resume: "resumed", freeze: "frozen" } as const;

export const platformConnectivity: Connectivity = {
  "~port": "connectivity",
  online: () => fromPlatform((it: Platform) => it.navigator?.onLine) !== false,
  subscribe(listener) {
    const window = globalThis as Platform;
    const document = fromPlatform((it: Platform) => it.document);
    const undo: (() => void)[] = [];
    const listen = (source: Partial<EventSource> | undefined, type: string, react: (event: PageEvent) => void) => {
      source?.addEventListener?.(type, react);
      undo.push(() => source?.removeEventListener?.(type, react));
    };
    for (const [type, hint] of Object.entries(WINDOW_EVENTS)) listen(window, type, () => listener(hint));
    for (const [type, hint] of Object.entries(DOCUMENT_EVENTS)) listen(document, type, () => listener(hint));
    listen(window, "pagehide", ({ persisted }) => persisted && listener("frozen"));
    listen(document, "visibilitychange", () => document?.visibilityState === "visible" && listener("visible"));
    return () => {
      for (const stop of undo) stop();
    };
  },
};
