/** A real Chromium with the page of the bench in it. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { type BrowserContext, chromium } from "playwright";
import { bringBrowser, chromeArguments } from "../../../scripts/browser.mjs";
import { root } from "../../../scripts/entries.mjs";
import type { Calls } from "./page.ts";

export interface Host {
  /** Runs a call in a page of its own, which is closed behind it. */
  call<N extends keyof Calls>(name: N, ...parameters: Parameters<Calls[N]>): Promise<Awaited<ReturnType<Calls[N]>>>;
  /** Ends the browser's processes and starts them again: what they had in memory is gone, the databases are not. */
  restart(): Promise<void>;
  version(): string;
  close(): Promise<void>;
}

export async function openHost(): Promise<Host> {
  const executablePath = bringBrowser();
  const script = await bundle();
  const profile = await mkdtemp(join(tmpdir(), "tillsync-bench-"));
  const server = createServer(({ url }, response) => {
    // Isolated, so that the page's clock is as fine as it gets.
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    response.setHeader("content-type", url === "/page.js" ? "text/javascript" : "text/html");
    response.end(url === "/page.js" ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let context = await launch(profile, executablePath);
  return {
    async call(name, ...parameters) {
      const page = await context.newPage();
      try {
        await page.goto(origin);
        return await page.evaluate(
          ([method, given]) =>
            (globalThis as never as { bench: Record<string, (...all: unknown[]) => never> }).bench[method]!(...given),
          [name, parameters as unknown[]] as const,
        );
      } finally {
        await page.close();
      }
    },
    async restart() {
      await context.close();
      context = await launch(profile, executablePath);
    },
    version: () => context.browser()?.version() ?? "unknown",
    async close() {
      await context.close();
      await new Promise((resolve) => server.close(resolve));
      await rm(profile, { recursive: true, force: true });
    },
  };
}

function launch(profile: string, executablePath: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, { executablePath, args: chromeArguments, headless: true });
}

/** From the sources, as an application's bundler would: the paths of tsconfig.json lead there. */
async function bundle(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(root, "test/bench/browser/page.ts")],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
