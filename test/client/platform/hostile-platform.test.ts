/** The default ports on a platform whose objects throw as soon as they are read. */
import { afterEach, expect, test, vi } from "vitest";
import { platformConnectivity } from "../../../src/client/platform/connectivity.ts";
import { platformCoordinator } from "../../../src/client/platform/coordinator.ts";
import { fakeClock } from "../../../src/testing/fake-clock.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const replaced = new Map<string, PropertyDescriptor | undefined>();

function define(name: string, descriptor: PropertyDescriptor): void {
  if (!replaced.has(name)) replaced.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { ...descriptor, configurable: true });
}

const denied = (): never => {
  throw new DOMException("The operation is insecure.", "SecurityError");
};

afterEach(() => {
  for (const [name, before] of replaced) {
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  }
  replaced.clear();
});

const GIVEN: Record<string, () => void> = {
  navigator: () => define("navigator", { get: denied }),
  "navigator.locks": () => define("navigator", { value: Object.defineProperty({}, "locks", { get: denied }) }),
  BroadcastChannel: () => define("BroadcastChannel", { get: denied }),
  document: () => define("document", { get: denied }),
};

for (const [name, given] of Object.entries(GIVEN))
  test(`${name} throws: the client of this page still gets its turn`, async () => {
    define("WorkerGlobalScope", { value: class {} });
    // In Node a channel keeps the process from ending.
    define("BroadcastChannel", { value: undefined });
    given();
    const clock = fakeClock();
    const work = vi.fn(async () => {});
    const { signal } = new AbortController();
    const lease = { take: async () => true, give: async () => {} };
    const turn = platformCoordinator(clock, seededRandom(1)).exclusive("shop", signal, work, lease);
    await clock.advance(60_000);
    await turn;
    expect(work).toHaveBeenCalledOnce();
  });

for (const name of ["navigator", "navigator.onLine"])
  test(`${name} throws: the till counts as online, so that it tries`, () => {
    const onLine = Object.defineProperty({}, "onLine", { get: denied });
    define("navigator", name === "navigator" ? { get: denied } : { value: onLine });
    expect(platformConnectivity.online()).toBe(true);
  });

test("document throws: the hints of the window are still heard", () => {
  define("document", { get: denied });
  const listeners = new Map<string, () => void>();
  define("addEventListener", { value: (type: string, react: () => void) => listeners.set(type, react) });
  define("removeEventListener", { value: (type: string) => listeners.delete(type) });
  const heard: string[] = [];
  const stop = platformConnectivity.subscribe((hint) => heard.push(hint));
  listeners.get("online")?.();
  expect(heard).toEqual(["online"]);
  stop();
  expect(listeners.size).toBe(0);
});
