import { http } from "tillsync";
import { describeTransportContract, type TransportCallName, type TransportPeer } from "tillsync/testing";
import { describe, it } from "vitest";
import { type Handler, listen, problem, protocolHeaders, reply } from "./server.ts";

describeTransportContract({ describe, it }, "http", async (peer) => {
  const server = await listen(handlerOf(peer));
  return {
    transport: http({ url: server.url, getToken: () => "token-1", timeoutMs: deadlineFor(peer) }),
    received: () => server.requests.length,
    close: server.close,
  };
});

/** Only a call to a peer that never answers is to reach its deadline, and not before the request has arrived. */
function deadlineFor({ kind }: TransportPeer): number {
  return kind === "stays_silent" || kind === "stalls" ? 3_000 : 60_000;
}

function handlerOf(peer: TransportPeer): Handler {
  return (request, response) => {
    const requestId = String(request.headers["tillsync-request-id"]);
    switch (peer.kind) {
      case "answers":
        return reply(request, response, {
          body: peer.message(request.path.replace("/sync/", "") as TransportCallName, requestId),
        });
      case "hangs_up":
        return void response.socket?.destroy();
      case "stays_silent":
        return;
      case "stalls":
        response.writeHead(200, protocolHeaders(request));
        return void response.write('{"requestId":');
      case "truncates":
        return reply(request, response, { body: '{"requestId":' });
      case "answers_another":
        return reply(request, response, { headers: { "tillsync-request-id": "019a9f3c-6a10-7000-8000-00000000ffff" } });
      case "is_a_stranger":
        response.writeHead(200, { "content-type": "text/html" });
        return void response.end("<h1>Welcome to our WiFi</h1>");
      case "talks_nonsense":
        return reply(request, response, { body: { requestId, nonsense: true } });
      case "throttles":
        return problem(request, response, 429, "throttled", {
          headers: { "retry-after": String(peer.retryAfterMs / 1_000) },
        });
      case "fails":
        return problem(request, response, 500, "internal");
      case "refuses":
        return problem(request, response, 409, peer.code, {
          members: { epoch: peer.epoch, collections: peer.collections },
        });
      case "knows_nobody":
        return problem(request, response, 401, "unauthenticated");
    }
  };
}
