/**
 * The service worker: the page from this device, so that the till can be loaded again without a network. It caches the
 * page and nothing else: the sync client stores the shop's data, and its calls are never answered from a cache.
 */

interface Extendable extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
/** The part of the worker's types that is used: they can't be combined with those of pages. */
interface Worker {
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

const worker = self as unknown as Worker;

/** Filled in by the build: the files, and a digest of them that makes each version of the page another worker. */
const page = JSON.parse("__PAGE__") as { readonly version: string; readonly files: readonly string[] };
const CACHE = `pos-web-${page.version}`;
const INDEX = "/index.html";

worker.addEventListener("install", (event) => {
  // All files or none, bypassing the HTTP cache: half of a page doesn't work.
  const kept = caches
    .open(CACHE)
    .then((cache) => cache.addAll(page.files.map((url) => new Request(url, { cache: "reload" }))));
  // Immediately: an open page has all of its code in memory, and is notified of the newer one.
  event.waitUntil(kept.then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => names.filter((name) => name.startsWith("pos-web-") && name !== CACHE));
  event.waitUntil(
    others.then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || isApi(pathname)) return;
  if (request.mode === "navigate") event.respondWith(fromDevice(INDEX, request));
  else if (page.files.includes(pathname)) event.respondWith(fromDevice(pathname, request));
});

function isApi(path: string): boolean {
  return /^\/(sync|auth|health)(\/|$)/.test(path);
}

/** If the browser has cleared the cache, the answer is the server's, as without a worker. */
async function fromDevice(url: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fetch(request);
}
