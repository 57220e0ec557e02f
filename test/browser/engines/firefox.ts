/**
 * Firefox as it is installed, over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), which it serves itself. Playwright drives
 * only a Firefox that it has built, and needs commands that an ESR does not have.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type EngineBrowser, type EngineTab, KEYS, keystrokes, type LaunchOptions } from "./engine.ts";
import { descendants, killAll } from "./processes.ts";

/** It asks nobody anything, and asks the network for nothing but what a test asks for. */
const PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "services.settings.server": "",
  // It is killed on purpose: the next start must not be in safe mode.
  "toolkit.startup.max_resumed_crashes": -1,
  "toolkit.telemetry.enabled": false,
};

export async function start(found: { readonly path: string }, options: LaunchOptions): Promise<EngineBrowser> {
  const { profile, quotaBytes } = options;
  // In KB, and for all sites together: one site gets a fifth of it, and at least 10 MB.
  const quota = quotaBytes && { "dom.quotaManager.temporaryStorage.fixedLimit": Math.round((quotaBytes * 5) / 1_024) };
  const preferences = Object.entries({ ...PREFERENCES, ...quota });
  writeFileSync(
    join(profile, "user.js"),
    preferences.map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`).join(""),
  );
  const child = spawn(
    found.path,
    ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0", "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, MOZ_CRASHREPORTER_DISABLE: "1" } },
  );
  const { pid } = child;
  if (pid === undefined) throw new Error(`Firefox could not be started: ${found.path}`);
  const kill = () => killAll([...descendants(pid).map((process) => process.pid), pid]);
  const endAtOnce = () => child.kill("SIGKILL");
  process.on("exit", endAtOnce);
  child.once("exit", () => process.off("exit", endAtOnce));
  try {
    const line = await connect(`${await addressOf(child)}/session`);
    await line.send("session.new", { capabilities: {} });
    return {
      pid,
      kill,
      async tab() {
        const { context } = await line.send<{ context: string }>("browsingContext.create", { type: "tab" });
        return tabOf(line, context);
      },
      async [Symbol.asyncDispose]() {
        line.close();
        await kill();
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Firefox ended with ${code}: ${said}`)));
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-10_000);
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
  });
}

interface Line {
  send<T>(method: string, params: object): Promise<T>;
  close(): void;
}

/** A command and its answer have the same number. When the browser is gone, what waits for an answer is told. */
async function connect(url: string): Promise<Line> {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 * 1_024 * 1_024 });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let commands = 0;
  const gone = (why: string) => {
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  socket.on("message", (data) => {
    const { id, type, result, error, message } = JSON.parse(String(data));
    const command = waiting.get(id);
    waiting.delete(id);
    if (type === "error") command?.reject(new Error(`${error}: ${message}`));
    else command?.resolve(result as never);
  });
  socket.on("close", () => gone("The browser is gone"));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("error", (error) => gone(error.message));
  return {
    send: (method, params) =>
      new Promise((resolve, reject) => {
        if (socket.readyState !== WebSocket.OPEN) return reject(new Error("The browser is gone"));
        const id = ++commands;
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
}

type Called =
  | { readonly type: "success"; readonly result: { readonly value?: string; readonly sharedId?: string } }
  | { readonly type: "exception"; readonly exceptionDetails: { readonly text: string } };

function tabOf(line: Line, context: string): EngineTab {
  const call = async (functionDeclaration: string, args: readonly unknown[]) => {
    const called = await line.send<Called>("script.callFunction", {
      functionDeclaration,
      arguments: [{ type: "string", value: JSON.stringify(args) }],
      target: { context },
      awaitPromise: true,
    });
    if (called.type === "exception") throw new Error(called.exceptionDetails.text);
    return called.result;
  };
  const act = (actions: readonly object[]) => line.send("input.performActions", { context, actions });
  const tab: EngineTab = {
    goto: async (url) => void (await line.send("browsingContext.navigate", { context, url, wait: "complete" })),
    reload: async () => void (await line.send("browsingContext.reload", { context, wait: "complete" })),
    async evaluate(run, ...args) {
      const { value } = await call(
        `async (args) => JSON.stringify({ value: await (${run})(...JSON.parse(args)) })`,
        args,
      );
      return JSON.parse(value ?? "{}").value;
    },
    async click(find, ...args) {
      const found = `(args) => { const found = (${find})(...JSON.parse(args)); found?.scrollIntoView({ block: "center" }); return found; }`;
      const { sharedId } = await call(found, args);
      if (sharedId === undefined) throw new Error(`Nothing to click: ${find}`);
      // A tab behind another one is not painted, and never clicked.
      await line.send("browsingContext.activate", { context });
      const origin = { type: "element", element: { sharedId } };
      const actions = [
        { type: "pointerMove", x: 0, y: 0, origin },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ];
      await act([{ type: "pointer", id: "mouse", actions }]);
    },
    type: async (text) => void (await act(keystrokes([...text]))),
    press: async (key) => void (await act(keystrokes([KEYS[key]]))),
    close: async () => void (await line.send("browsingContext.close", { context })),
  };
  return tab;
}
