/**
 * The engines beside Chromium, behind one small interface: Firefox (`firefox.ts`) and WebKit (`webkit.ts`), each on a profile that
 * outlives its processes. Chromium is driven by Playwright, in the neighbouring folders.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEngine } from "../../../scripts/engines.mjs";

export type EngineName = "firefox" | "webkit";

export interface LaunchOptions {
  /** The folder of its data. A browser that is started on it again finds what the last one has stored. */
  readonly profile: string;
  /** The most bytes that a site may store, roughly: each engine rounds it in its own way. */
  readonly quotaBytes?: number | undefined;
}

export interface EngineTab {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs the function in the page, and waits for its promise. What it takes and gives is JSON. */
  evaluate<A extends readonly unknown[], R>(run: (...args: A) => R, ...args: A): Promise<Awaited<R>>;
  /** Clicks the element that the function finds, as a mouse does. Throws if it finds none. */
  click<A extends readonly unknown[]>(find: (...args: A) => Element | null | undefined, ...args: A): Promise<void>;
  type(text: string): Promise<void>;
  press(key: keyof typeof KEYS): Promise<void>;
  close(): Promise<void>;
}

export interface EngineBrowser extends AsyncDisposable {
  /** A new tab, empty. */
  tab(): Promise<EngineTab>;
  /** Its process, of which all others are descendants. */
  readonly pid: number;
  /** SIGKILL to every process: as a power cut does it, nothing gets to say goodbye. */
  kill(): Promise<void>;
}

/** As WebDriver names them: https://www.w3.org/TR/webdriver/#keyboard-actions */
export const KEYS = { Enter: "\uE007", F4: "\uE034" } as const;

/** A press and a release of each, as an action sequence of WebDriver; BiDi has taken it over. */
export function keystrokes(keys: readonly string[]) {
  const actions = keys.flatMap((value) => [
    { type: "keyDown", value },
    { type: "keyUp", value },
  ]);
  return [{ type: "key", id: "keyboard", actions }];
}

/** The engines that are here. `npm test` has said which, and what became of the others. */
export const engines = (["firefox", "webkit"] as const).map((name) => ({
  name,
  isHere: findEngine(name) !== undefined,
}));

export async function launch(name: EngineName, options: LaunchOptions): Promise<EngineBrowser> {
  const found = findEngine(name);
  if (found === undefined) throw new Error(`No ${name} found: run the tests with \`npm test\`, which brings one`);
  const { start } = name === "firefox" ? await import("./firefox.ts") : await import("./webkit.ts");
  return await start(found, options);
}

/** A folder that is removed when the test ends. */
export function temporaryProfile(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "tillsync-engine-"));
  // The last of its processes may still be writing.
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  };
}
