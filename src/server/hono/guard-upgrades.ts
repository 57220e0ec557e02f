/**
 * Upgrade requests of a Node server. When a client asks for an upgrade, Node takes its own listeners off the connection,
 * those for errors and timeouts too (https://nodejs.org/docs/latest-v20.x/api/http.html#event-upgrade). The adapter looks
 * only at WebSockets. So one request for another protocol, such as `h2c`, was never answered, and if its client then
 * reset the connection, an error without a listener ended the process.
 */
import { systemClock } from "../../shared/clock.ts";

/** The part of Node's `net.Socket` that is used. */
interface Connection {
  on(event: "close" | "error" | "finish", listener: () => void): unknown;
  end(text: string, sent: () => void): unknown;
  destroy(): unknown;
}

/** The part of Node's `http.Server` that is used. */
export interface UpgradingServer {
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: Node types the listeners of each event on its own
  on(event: string, listener: (...payload: any[]) => void): unknown;
  /** The listeners of an event, in the order in which they were added. */
  // biome-ignore lint/complexity/noBannedTypes: what Node returns
  listeners(event: string): readonly Function[];
  /** Removes the listeners of an event. */
  removeAllListeners(event: string): unknown;
}

/** RFC 9110, section 15.5.22: the protocol that the client would have to ask for. */
const UPGRADE_REQUIRED = [
  "HTTP/1.1 426 Upgrade Required",
  "Connection: close, Upgrade",
  "Upgrade: websocket",
  "Cache-Control: no-store",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

/**
 * How long a client may take to close a connection that the server has ended. No timeout of Node's is left on it, so a
 * client that never does would hold it, and a file descriptor, for as long as it likes.
 */
const CLOSING_MS = 5_000;

/**
 * Makes a Node server safe against requests that ask for an upgrade: whatever is no WebSocket is answered with 426 and
 * closed, a socket that was refused is closed too, and a connection that breaks never ends the process. Call it once,
 * after `serve` or `createAdaptorServer` of `@hono/node-server`, which have their own listeners by then.
 *
 * @example
 * ```ts
 * guardUpgrades(serve({ fetch: app.fetch, port: 8787, websocket: { server: sockets } }));
 * ```
 * @returns the server
 */
export function guardUpgrades<S extends UpgradingServer>(server: S): S {
  // A connection that breaks is its client's matter. Without a listener its error would be the process's.
  server.on("connection", (connection: Connection) => connection.on("error", () => {}));
  const adapters = server.listeners("upgrade");
  // Without a listener Node answers an upgrade request as one that asks for none.
  if (adapters.length === 0) return server;
  // In their place, not beside them: an adapter that finds another listener leaves its refusals to that one.
  server.removeAllListeners("upgrade");
  server.on("upgrade", (request: { headers: { upgrade?: string } }, connection: Connection, head: unknown) => {
    const closed = new AbortController();
    connection.on("close", () => closed.abort());
    connection.on("finish", () => void destroyLater(connection, closed.signal));
    if (request.headers.upgrade?.toLowerCase() === "websocket")
      for (const adapter of adapters) adapter.call(server, request, connection, head);
    else connection.end(UPGRADE_REQUIRED, () => connection.destroy());
  });
  return server;
}

/** @param closed aborted when the client has closed it */
async function destroyLater(connection: Connection, closed: AbortSignal): Promise<void> {
  await systemClock.sleep(CLOSING_MS, closed).catch(() => {});
  connection.destroy();
}
