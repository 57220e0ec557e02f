import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWatchdog, withWatchdog } from "../../src/storage/indexeddb/watchdog.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("the watchdog", () => {
  function watching() {
    const onSilence = vi.fn();
    return { onSilence, watchdog: startWatchdog(1_000, onSilence) };
  }

  test("reports a silence once, at its second look: in a page that was frozen, one timer may be overdue", () => {
    const { onSilence } = watching();
    vi.advanceTimersByTime(999);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onSilence).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(onSilence).toHaveBeenCalledTimes(1);
  });

  test("starts again at every sign of life, and reports the silence after it", () => {
    const { onSilence, watchdog } = watching();
    for (let times = 0; times < 10; times += 1) {
      vi.advanceTimersByTime(900);
      watchdog.touch();
    }
    vi.advanceTimersByTime(999);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(501);
    expect(onSilence).toHaveBeenCalledTimes(1);
  });

  test("that was stopped reports nothing", () => {
    const { onSilence, watchdog } = watching();
    watchdog.stop();
    vi.advanceTimersByTime(10_000);
    expect(onSilence).not.toHaveBeenCalled();
  });

  test("leaves no timer after an answer", async () => {
    expect(await withWatchdog(Promise.resolve(5), 1_000, "a question")).toBe(5);
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
  });
});
