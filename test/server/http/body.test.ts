/** A request's body is read the same whether the platform's requests have `body` or, as Firefox's, only methods that read it. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readBody } from "../../../src/server/http/body.ts";
import { BodyBudget } from "../../../src/server/http/body-budget.ts";

const LIMITS = { maxCompressedBytes: 100, maxBytes: 200 };

function requestOf(body: string | Uint8Array | undefined, encoding?: string): Request {
  return new Request("https://shop.test/sync/push", {
    method: "POST",
    ...(encoding !== undefined && { headers: { "content-encoding": encoding } }),
    ...(body !== undefined && { body: body as BodyInit }),
  });
}

const withoutBody = (request: Request) => Object.defineProperty(request, "body", { value: undefined });
const outcome = (request: Request) =>
  readBody(request, LIMITS, new BodyBudget().share("t")).then(
    ({ value, bytes }) => ({ value, bytes }),
    ({ code }) => ({ code }),
  );
const cutOff = () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) });
  return new Request("https://shop.test/sync/push", { method: "POST", body, duplex: "half" } as RequestInit);
};
const text = (length: number) => JSON.stringify("x".repeat(length - 2));

describe.each([
  ["with `body`", (request: Request) => request],
  ["without `body`", withoutBody],
])("a request %s", (_, as) => {
  test.each([
    ["text", requestOf('{"a":1}'), { value: { a: 1 }, bytes: 7 }],
    ["gzip", requestOf(gzipSync('{"a":1}'), "gzip"), { value: { a: 1 }, bytes: 7 }],
    ["as much as is allowed", requestOf(text(200)), { value: "x".repeat(198), bytes: 200 }],
    ["nothing", requestOf(undefined), { code: "malformed" }],
    ["no JSON", requestOf("{"), { code: "malformed" }],
    ["a byte too many", requestOf(text(201)), { code: "too_large" }],
    ["gzip that inflates to a byte too many", requestOf(gzipSync(text(201)), "gzip"), { code: "too_large" }],
    ["gzip that is itself too large", requestOf(new Uint8Array(101), "gzip"), { code: "too_large" }],
    ["no end", cutOff(), { code: "malformed" }],
    ["no gzip", requestOf("{}", "gzip"), { code: "malformed" }],
  ])("that has %s", async (_, request, expected) => {
    expect(await outcome(as(request))).toEqual(expected);
  });
});

test("a body whose rest is not wanted is let go of, though its sender has stopped half-way", async () => {
  let cancelled = false;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(60)),
    cancel: () => {
      cancelled = true;
    },
  });
  const request = new Request("https://shop.test/sync/push", { method: "POST", body, duplex: "half" } as RequestInit);
  const budget = new BodyBudget({ waitingBytes: 100 });
  const reading = readBody(request, LIMITS, budget.share("flood"));
  const told = expect(reading).rejects.toMatchObject({ code: "unavailable" });
  // Once its first bytes have been counted.
  await new Promise((resolve) => setImmediate(resolve));
  budget.share("other").received(50);
  await told;
  expect(cancelled).toBe(true);
});
