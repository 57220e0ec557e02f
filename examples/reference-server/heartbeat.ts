/** Pings the sockets. A browser can't, and a connection that was lost in the network is otherwise not noticed. */
import type { WebSocket, WebSocketServer } from "ws";

/** Well below the minute after which proxies and mobile networks drop a silent connection. */
const PING_MS = 30_000;

/**
 * Pings each socket periodically, and terminates one that has not answered by the next ping. Returns a function that
 * stops it.
 */
export function startHeartbeat(sockets: WebSocketServer): () => void {
  const silent = new WeakSet<WebSocket>();
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.once("pong", () => silent.delete(socket));
      socket.ping();
    }
  }, PING_MS);
  return () => clearInterval(timer);
}
