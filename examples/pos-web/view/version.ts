/** The service worker: keeps the page on the device, and reports when a newer version is there. */

const listeners = new Set<() => void>();
let hasCome = false;

/** Calls the listener once a newer page is on the device; immediately if it is there already. */
export function onNewVersion(listener: () => void): () => void {
  listeners.add(listener);
  if (hasCome) listener();
  return () => void listeners.delete(listener);
}

export async function keepPage(): Promise<void> {
  const { serviceWorker } = navigator;
  // The first worker of a page is not an update.
  let isFirst = serviceWorker.controller === null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (isFirst) {
      isFirst = false;
      return;
    }
    hasCome = true;
    for (const listener of listeners) listener();
  });
  await serviceWorker.register("/sw.js");
}
