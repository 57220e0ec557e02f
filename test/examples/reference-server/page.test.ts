/** The page that browsers get: what is served, with which headers, and what stays the API's. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { readPage } from "../../../examples/reference-server/page.ts";
import type { RunningServer } from "../../../examples/reference-server/server.ts";
import { start, temporaryFolder } from "./support.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const index = "<!doctype html><title>Till</title>";
let server: RunningServer;

beforeEach(async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), index);
  await writeFile(join(folder, "sw.js"), "self.version = 1;");
  await writeFile(join(folder, "assets", "page-abc.js"), "document.title = 'Till';".repeat(100));
  await writeFile(join(folder, "assets", "page-abc.css"), "body {}");
  await writeFile(join(folder, "manifest.webmanifest"), "{}");
  server = await start({ page: readPage(folder) });
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(server.url + path, { method, headers, redirect: "manual" });

describe("a browser", () => {
  test.each(["/", "/sales/019a9f3c", "/queue", "/index.html"])(
    "gets the page at %s, and asks for it again each time",
    async (path) => {
      const answer = await get(path, BROWSER);
      expect(await answer.text()).toBe(index);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("cache-control")).toBe("no-cache");
      expect(answer.headers.get("vary")).toContain("accept");
    },
  );

  test("may run the page's own scripts, and nothing that somebody has slipped in", async () => {
    const { headers } = await get("/", BROWSER);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("keeps assets for ever, whose names change with what is in them", async () => {
    const script = await get("/assets/page-abc.js");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect((await get("/assets/page-abc.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
  });

  test("asks for the service worker and the manifest each time", async () => {
    const worker = await get("/sw.js");
    expect(worker.headers.get("cache-control")).toBe("no-cache");
    expect((await get("/manifest.webmanifest")).headers.get("content-type")).toBe("application/manifest+json");
    const again = await get("/sw.js", { "if-none-match": worker.headers.get("etag") ?? "" });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("gets it compressed where it can read that", async () => {
    // fetch of Node unpacks it by itself: the header tells, and the bytes are taken from the app.
    const answer = await server.app.request("/assets/page-abc.js", { headers: { "accept-encoding": "gzip, br" } });
    expect(answer.headers.get("content-encoding")).toBe("br");
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(brotliDecompressSync(bytes).toString()).toContain("document.title");
    expect(bytes.byteLength).toBeLessThan(200);
  });

  test("hears that an asset is not there, instead of getting a page to run as a script", async () => {
    const answer = await get("/assets/page-old.js", BROWSER);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  });
});

describe("the API stays where it is", () => {
  test("a program that asks for / gets its welcome", async () => {
    expect(await (await get("/")).json()).toMatchObject({ status: "ok" });
  });

  test.each(["/sync/nowhere", "/auth/nowhere", "/health/nowhere"])("nobody gets a page at %s", async (path) => {
    expect((await get(path, BROWSER)).headers.get("content-type")).not.toContain("text/html");
  });

  test("/health and /sync answer a browser as they answer everybody", async () => {
    expect(await (await get("/health", BROWSER)).json()).toHaveProperty("serverTime");
    expect((await get("/", BROWSER, "POST")).status).toBe(404);
  });
});

test("a server without a page is the API alone", async () => {
  const alone = await start();
  const answer = await fetch(alone.url, { headers: BROWSER });
  expect(await answer.json()).toMatchObject({ status: "ok" });
});
