/**
 * WebKitGTK, the engine of Safari, over WebDriver (https://www.w3.org/TR/webdriver2/): WebKitWebDriver, and a browser that keeps its
 * profile (`webkit-browser.py`). It has no headless mode: each browser gets a screen of its own in memory, by Xvfb.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type EngineBrowser, type EngineTab, KEYS, keystrokes, type LaunchOptions } from "./engine.ts";
import { descendants, killAll } from "./processes.ts";

const BROWSER = fileURLToPath(new URL("webkit-browser.py", import.meta.url));
/** Safari has them. WebKitGTK has switched them off, and without them there is no `navigator.storage`. */
const FEATURES = "StorageAPI,StorageAPIEstimate";
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

export async function start(_: unknown, { profile, quotaBytes }: LaunchOptions): Promise<EngineBrowser> {
  const { screen, display } = await startScreen();
  const port = await freePort();
  const env = { ...process.env, DISPLAY: display, LIBGL_ALWAYS_SOFTWARE: "1", NO_AT_BRIDGE: "1", GDK_BACKEND: "x11" };
  const driver = spawn("WebKitWebDriver", ["--host=127.0.0.1", `--port=${port}`], { stdio: "ignore", env });
  const own = [screen, driver].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const kill = () => killAll([...own.flatMap((pid) => descendants(pid).map((process) => process.pid)), ...own]);
  const endAtOnce = () => own.forEach((pid) => void process.kill(pid, "SIGKILL"));
  process.on("exit", endAtOnce);
  driver.once("exit", () => process.off("exit", endAtOnce));
  try {
    const call = callerOf(`http://127.0.0.1:${port}`);
    while (
      driver.exitCode === null &&
      !(await call("GET", "/status").then(
        () => true,
        () => false,
      ))
    )
      await sleep(20);
    const args = ["--automation", "--profile", profile, "--features", FEATURES];
    if (quotaBytes !== undefined) args.push("--quota", String(quotaBytes));
    const { sessionId } = await call<{ sessionId: string }>("POST", "/session", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary: BROWSER, args } } },
    });
    const session = `/session/${sessionId}`;
    const driven = driver.pid === undefined ? undefined : descendants(driver.pid)[0];
    if (driven === undefined) throw new Error("WebKitWebDriver has started no browser");
    const windows = new Windows((method, path, body) => call(method, session + path, body));
    return {
      pid: driven.pid,
      kill,
      tab: () => windows.open(),
      [Symbol.asyncDispose]: kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** Xvfb finds a number that is free, and says it on the file descriptor. */
async function startScreen(): Promise<{ screen: ChildProcess; display: string }> {
  const options = ["-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"];
  const screen = spawn("Xvfb", options, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const display = await new Promise<string>((resolve, reject) => {
    screen.once("error", reject);
    screen.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
    let said = "";
    screen.stdio[3]?.on("data", (text) => {
      said += text;
      if (said.endsWith("\n")) resolve(`:${said.trim()}`);
    });
  });
  return { screen, display };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

type Call = <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<T>;

function callerOf(base: string): Call {
  return async (method, path, body) => {
    const response = await fetch(base + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
    if (value?.error !== undefined) throw new Error(`${value.error}: ${value.message}`);
    return value as never;
  };
}

/** Each window is a tab. WebDriver has one current window, so the commands of all of them follow each other. */
class Windows {
  readonly #call: Call;
  #last: Promise<unknown> = Promise.resolve();
  #current: string | undefined;
  #first = true;

  constructor(call: Call) {
    this.#call = call;
  }

  async open(): Promise<EngineTab> {
    const isFirst = this.#first;
    this.#first = false;
    const handle = await this.#inTurn(async () => {
      if (isFirst) return this.#call<string>("GET", "/window");
      return (await this.#call<{ handle: string }>("POST", "/window/new", { type: "window" })).handle;
    });
    return this.#tab(handle);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  #tab(handle: string): EngineTab {
    const on: Call = (method, path, body) =>
      this.#inTurn(async () => {
        if (this.#current !== handle) await this.#call("POST", "/window", { handle });
        this.#current = handle;
        return this.#call(method, path, body);
      });
    const script = <T>(code: string, ...args: readonly unknown[]) =>
      on<T>("POST", "/execute/sync", { script: code, args });
    const act = (actions: readonly object[]) => on("POST", "/actions", { actions });
    let calls = 0;
    return {
      goto: (url) => on("POST", "/url", { url }),
      reload: () => on("POST", "/refresh", {}),
      async evaluate(run, ...args) {
        // Started, and looked after again and again: a script that is waited for would keep the other tabs waiting.
        const id = `call ${++calls}`;
        await script(
          `const [id, args] = arguments, ends = (window.ends_ ??= {});
           (async () => (${run})(...args))().then(
             (value) => { ends[id] = JSON.stringify({ value }) },
             (error) => { ends[id] = JSON.stringify({ error: String(error) + "\\n" + error?.stack }) })`,
          id,
          args,
        );
        for (let pauseMs = 1; ; pauseMs = Math.min(50, pauseMs * 2)) {
          const text = await script<string | null>(
            `const [id] = arguments; if (!window.ends_) return '{"error":"The page is another one"}';
             const end = window.ends_[id] ?? null; delete window.ends_[id]; return end`,
            id,
          );
          if (text === null) {
            await sleep(pauseMs);
            continue;
          }
          const { value, error } = JSON.parse(text);
          if (error !== undefined) throw new Error(error);
          return value;
        }
      },
      async click(find, ...args) {
        const found = await script<Record<string, string> | null>(`return (${find})(...arguments)`, ...args);
        if (found === null) throw new Error(`Nothing to click: ${find}`);
        await on("POST", `/element/${found[ELEMENT]}/click`, {});
      },
      type: async (text) => void (await act(keystrokes([...text]))),
      press: async (key) => void (await act(keystrokes([KEYS[key]]))),
      close: async () => {
        await on("DELETE", "/window");
        this.#current = undefined;
      },
    };
  }
}
