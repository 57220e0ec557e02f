/** A server on the loopback interface that does what a test says, down to the socket. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface ReceivedRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  /** The body as it was received. */
  readonly body: Buffer;
  /** Inflated and parsed; `undefined` without a body. */
  readonly message: unknown;
}

export type Handler = (request: ReceivedRequest, response: ServerResponse) => void;

export interface LoopbackServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  readonly http: ReturnType<typeof createServer>;
  close(): Promise<void>;
}

export const SERVER_TIME = "2026-11-20T08:01:01.250Z";

export async function listen(handle: Handler): Promise<LoopbackServer> {
  const requests: ReceivedRequest[] = [];
  const http = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", () => {}); // the client hung up
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const text = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      const request: ReceivedRequest = {
        path: incoming.url ?? "",
        method: incoming.method ?? "",
        headers: incoming.headers,
        body,
        message: body.length === 0 ? undefined : JSON.parse(text.toString("utf8")),
      };
      requests.push(request);
      handle(request, response);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/sync`,
    requests,
    http,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** The headers of a correct answer. */
export function protocolHeaders(request: ReceivedRequest): Record<string, string> {
  return {
    "tillsync-protocol": "1",
    "tillsync-request-id": String(request.headers["tillsync-request-id"]),
    "tillsync-server-time": SERVER_TIME,
    "cache-control": "no-store",
    "content-type": "application/json",
  };
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  /** Text, or a message. */
  body?: unknown;
}

/** A correct answer, except for what `reply` changes. A header that is set to "" is left out. */
export function reply(
  request: ReceivedRequest,
  response: ServerResponse,
  { status = 200, headers, body }: Reply,
): void {
  const all = Object.entries({ ...protocolHeaders(request), ...headers }).filter(([, value]) => value !== "");
  response.writeHead(status, Object.fromEntries(all));
  response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
}

export function problem(
  request: ReceivedRequest,
  response: ServerResponse,
  status: number,
  code: string,
  more: Reply & { members?: object } = {},
): void {
  reply(request, response, {
    status,
    headers: { "content-type": "application/problem+json", ...more.headers },
    body: {
      type: `urn:tillsync:problem:${code}`,
      title: code,
      status,
      detail: `It is ${code}`,
      code,
      requestId: String(request.headers["tillsync-request-id"]),
      ...more.members,
    },
  });
}
