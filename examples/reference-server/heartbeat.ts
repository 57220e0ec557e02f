/** Pings the sockets: a browser can't, and a connection that died in the network says nothing. */
import type { WebSocket, WebSocketServer } from "ws";

/** Well below the minute after which proxies and mobile networks forget a silent connection. */
const PING_MS = 30_000;

/** Pings each socket now and then, and lets go of one that has not answered by the next time. Gives back what ends it. */
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
