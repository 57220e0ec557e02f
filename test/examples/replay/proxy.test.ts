/** What each fault does to a request, on real sockets. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Link } from "../../../examples/replay/proxy.ts";
import type { NetworkFault } from "../../../examples/replay/schedule.ts";

/** A server that counts, behind a link with the given faults, one for each request. */
async function linked(...faults: (NetworkFault | undefined)[]) {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    try {
      for await (const chunk of request) body += chunk;
    } catch {
      seen.push("cut");
      return;
    }
    seen.push(body);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ answer: body }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const happened: NetworkFault[] = [];
  const link = new Link({
    target: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    nextFault: () => faults.shift(),
    happened: (fault) => void happened.push(fault),
    neverMs: 60_000,
  });
  const url = await link.listen();
  onTestFinished(async () => {
    await link.close();
    server.closeAllConnections();
    server.close();
  });
  const send = async (body: string, signal?: AbortSignal) => {
    const response = await fetch(url, { method: "POST", body, ...(signal && { signal }) });
    return { status: response.status, text: await response.text() };
  };
  return { send, seen, link, happened };
}

const answerTo = (body: string) => ({ status: 200, text: `{"answer":"${body}"}` });

test("nothing happens where nothing is drawn", async () => {
  const { send, seen, happened } = await linked();
  expect(await send("a")).toEqual(answerTo("a"));
  expect([seen, happened]).toEqual([["a"], []]);
});

test.each<[NetworkFault, readonly string[]]>([
  ["request_lost", []],
  ["request_cut", ["cut"]],
  ["answer_lost", ["abcd"]],
  ["answer_cut", ["abcd"]],
])("%s: the till hears nothing, the server saw %j", async (fault, arrived) => {
  const { send, seen, happened } = await linked(fault);
  await expect(send("abcd")).rejects.toThrow();
  await expect.poll(() => seen).toEqual(arrived);
  expect(happened).toEqual([fault]);
  expect(await send("b")).toEqual(answerTo("b"));
});

test.each<[NetworkFault, readonly string[]]>([
  ["request_late", ["a"]],
  ["answer_late", ["a"]],
  ["request_twice", ["a", "a"]],
])("%s: the till is answered, the server saw %j", async (fault, arrived) => {
  const { send, seen, happened } = await linked(fault);
  expect(await send("a")).toEqual(answerTo("a"));
  expect(seen).toEqual(arrived);
  expect(happened).toEqual([fault]);
});

test.each<[NetworkFault, number, readonly string[]]>([
  ["server_error", 502, []],
  ["server_error_afterwards", 504, ["a"]],
  ["throttled", 429, []],
  ["captive_portal", 200, []],
])("%s: somebody else answers %i, the server saw %j", async (fault, status, arrived) => {
  const { send, seen } = await linked(fault);
  const answer = await send("a");
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain("answer");
  expect(seen).toEqual(arrived);
});

test("answer_never: until the till gives up", async () => {
  const { send, seen } = await linked("answer_never");
  await expect(send("a", AbortSignal.timeout(300))).rejects.toThrow();
  expect(seen).toEqual(["a"]);
});

test("answer_of_another: the answer to the request before", async () => {
  const { send, seen } = await linked(undefined, "answer_of_another");
  await send("a");
  expect(await send("b")).toEqual(answerTo("a"));
  expect(seen).toEqual(["a", "b"]);
});

test("request_again_later: a copy comes when others have passed, or when the network calms down", async () => {
  const { send, seen, link } = await linked(
    "request_again_later",
    undefined,
    undefined,
    undefined,
    "request_again_later",
  );
  for (const body of ["a", "b", "c", "d"]) await send(body);
  await expect.poll(() => seen.toSorted()).toEqual(["a", "a", "b", "c", "d"]);
  await send("e");
  await link.calm();
  expect(seen.filter((body) => body === "e")).toHaveLength(2);
});

test("a link that is cut lets nothing through until it is mended", async () => {
  const { send, seen, link } = await linked();
  link.cut();
  await expect(send("a")).rejects.toThrow();
  link.mend();
  expect(await send("b")).toEqual(answerTo("b"));
  expect(seen).toEqual(["b"]);
});
