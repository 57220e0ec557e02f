/** The transport in a page: the platform's own fetch, with msw as the server. */
import { HttpResponse, http as mock } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { http } from "../../src/transport/http/http.ts";

const url = "https://shop.example/sync";
const service = setupServer();
beforeAll(() => service.listen({ onUnhandledRequest: "error" }));
afterEach(() => service.resetHandlers());
afterAll(() => service.close());

const call = () => ({
  device: "till-3",
  requestId: "019a9f3c-6a10-7000-8000-00000000a001",
  signal: new AbortController().signal,
});
const request = {
  device: { id: "till-3", incarnation: "019a0000-1f00-7000-8000-00000000001c" },
  epoch: "e1",
  marks: {},
  operations: [],
};

test("a network that is down is unreachable, and is tried once", async () => {
  let asked = 0;
  service.use(
    mock.post(`${url}/push`, () => {
      asked++;
      return HttpResponse.error();
    }),
  );
  const transport = http({ url, getToken: () => "token-1" });
  expect(await transport.push(request, call())).toMatchObject({
    ok: false,
    failure: { kind: "unreachable", reason: "network", cause: expect.any(TypeError) },
  });
  expect(asked).toBe(1);
});

test("a captive portal that redirects to its own page is not an answer", async () => {
  service.use(
    mock.post(`${url}/push`, () => HttpResponse.redirect("https://portal.example/login", 302)),
    mock.get("https://portal.example/login", () => HttpResponse.html("<h1>Accept our terms</h1>")),
  );
  const transport = http({ url, getToken: () => "token-1" });
  expect(await transport.push(request, call())).toMatchObject({
    ok: false,
    failure: { kind: "unreachable" }, // the platforms differ on whether they follow
  });
});

test("every request asks for an answer that is not from a cache", async () => {
  let cache: RequestCache | undefined;
  service.use(
    mock.get(`${url}/time`, ({ request }) => {
      cache = request.cache;
      return HttpResponse.error();
    }),
  );
  await http({ url, getToken: () => "token-1" }).time(call());
  expect(cache).toBe("no-store");
});
