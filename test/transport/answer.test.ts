import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPushResponse } from "../../src/protocol/answers.ts";
import { judgeAnswer, type Received } from "../../src/transport/http/answer.ts";
import { fixture } from "../protocol/fixtures.ts";

const text = JSON.stringify(fixture("push.answer"));
const requestId = String(fixture("push.answer").requestId);
const right = {
  "content-type": "application/json; charset=utf-8",
  "tillsync-protocol": "1",
  "tillsync-request-id": requestId,
  "tillsync-server-time": "2026-11-20T08:01:01.250Z",
};

function judge(change: { status?: number; headers?: Record<string, string>; text?: string | undefined }) {
  const received: Received = { status: 200, text, ...change, headers: new Headers({ ...right, ...change.headers }) };
  return judgeAnswer(received, requestId, isPushResponse);
}

describe("the time of a retry", () => {
  const at = "Fri, 20 Nov 2026 08:02:00 GMT";
  const busyUntil = (headers: Record<string, string>) =>
    judge({ status: 503, headers: { "retry-after": at, ...headers } });

  test("is computed from the server's own time", () => {
    const date = "Fri, 20 Nov 2026 07:00:00 GMT";
    expect(busyUntil({ date })).toMatchObject({ failure: { kind: "server_error", retryAfterMs: 58_750 } });
  });

  test("is computed from a proxy's Date", () => {
    const proxy = { "tillsync-server-time": "", date: "Fri, 20 Nov 2026 08:01:50 GMT" };
    expect(busyUntil(proxy)).toMatchObject({ failure: { kind: "server_error", retryAfterMs: 10_000 } });
  });

  test.each(["", "yesterday", "2026-11-20"])(
    "is unknown with %j for a Date: the till's own clock may be hours off",
    (date) => {
      const answer = busyUntil({ "tillsync-server-time": "", date });
      expect(answer).toMatchObject({ failure: { kind: "server_error", retryAfterMs: undefined } });
    },
  );
});

describe("what may acknowledge a sale", () => {
  test("the whole of a right answer", () => {
    expect(judge({})).toMatchObject({ ok: true, value: fixture("push.answer"), serverTime: 1_795_161_661_250 });
  });

  test("no part of it, wherever it was truncated", () => {
    const taken = Array.from({ length: text.length }, (_, end) => end).filter(
      (end) => judge({ text: text.slice(0, end) }).ok,
    );
    expect(taken).toEqual([]);
  });

  test("no other status", () => {
    const taken = Array.from({ length: 400 }, (_, n) => 201 + n).filter((status) => judge({ status }).ok);
    expect(taken).toEqual([]);
  });

  test.each(Object.keys(right))("nothing that has another %s, or none", (name) => {
    expect(judge({ headers: { [name]: "" } }).ok).toBe(false);
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), (value) => {
        fc.pre(
          value !== right[name as keyof typeof right] && !/^(application\/json(;.*)?|[\d-]{10}T.*Z)$/i.test(value),
        );
        return !judge({ headers: { [name]: value } }).ok;
      }),
    );
  });

  test("no JSON of any other form; and judging it never throws", () => {
    fc.assert(fc.property(fc.json(), (body) => !judge({ text: body }).ok));
    fc.assert(fc.property(fc.string(), (body) => !judge({ text: body }).ok));
  });
});
