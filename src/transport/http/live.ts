/**
 * A WebSocket that says "there is something new". A hint and nothing more: the client polls all the same.
 *
 * Each call ends with exactly one `closed()`, and no poke comes after it. Opening another one is the client's business.
 */
import type { LiveListener } from "../../client/ports/transport.ts";
import { isPoke } from "../../protocol/answers.ts";
import { LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX } from "../../protocol/constants.ts";
import { addressOf, type ResolvedHttpOptions } from "./options.ts";

/** A poke names collections. What is longer is not one, and is not worth parsing. */
const MAX_POKE_LENGTH = 64 * 1_024;

export async function openLive(
  options: ResolvedHttpOptions,
  listener: LiveListener,
  signal: AbortSignal,
): Promise<void> {
  let socket: WebSocket | undefined;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    socket?.close();
    listener.closed();
  };
  // A socket that never opens tells nobody.
  const timer = setTimeout(end, options.timeoutMs);
  signal.addEventListener("abort", end, { once: true });

  try {
    const token = await options.getToken({ refused: undefined, signal });
    if (over) return;
    if (!token || signal.aborted) return end();
    socket = new WebSocket(socketAddress(options.url), [LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX + base64url(token)]);
  } catch {
    return end(); // offline, no WebSocket here, or none allowed by the page's policy
  }
  socket.addEventListener("open", () => {
    clearTimeout(timer);
    if (socket?.protocol !== LIVE_SUBPROTOCOL) end(); // somebody else's socket
  });
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const collections = over ? undefined : readPoke(data);
    if (collections) listener.poke(collections);
  });
  socket.addEventListener("error", end);
  socket.addEventListener("close", end);
}

function readPoke(data: unknown): readonly string[] | undefined {
  if (typeof data !== "string" || data.length > MAX_POKE_LENGTH) return undefined;
  try {
    const poke: unknown = JSON.parse(data);
    return isPoke(poke) ? poke.collections : undefined;
  } catch {
    return undefined;
  }
}

function socketAddress(url: string): URL {
  const address = addressOf(url, "/live");
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}

/** The alphabet that a subprotocol may be written in. */
function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
