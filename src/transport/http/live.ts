/**
 * A WebSocket through which the server says that there is something new. It is only a hint: the client polls all the
 * same.
 *
 * Each call ends with exactly one `closed()`, and no poke arrives after it. The client opens another one if it wants
 * to.
 */
import type { LiveListener } from "../../client/ports/transport.ts";
import { isPoke } from "../../protocol/answers.ts";
import { LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX } from "../../protocol/constants.ts";
import { addressOf, type ResolvedHttpOptions } from "./options.ts";

/** A poke names collections. A longer message is not a poke, and is not parsed. */
const MAX_POKE_LENGTH = 64 * 1_024;
/** RFC 6455, section 7.4.1. The protocol's server closes with it when the token or the device has no rights any more. */
const POLICY_VIOLATION = 1008;

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
  // A socket that never opens may fire no event.
  const timer = setTimeout(end, options.timeoutMs);
  signal.addEventListener("abort", end, { once: true });

  try {
    const token = await options.getToken({ refused: undefined, signal });
    if (over) return;
    if (!token || signal.aborted) return end();
    socket = new WebSocket(socketAddress(options.url), [LIVE_SUBPROTOCOL, LIVE_TOKEN_PREFIX + base64url(token)]);
  } catch {
    return end(); // offline, no WebSocket on this platform, or forbidden by the page's policy
  }
  socket.addEventListener("open", () => {
    clearTimeout(timer);
    if (socket?.protocol !== LIVE_SUBPROTOCOL) end(); // not a tillsync server
  });
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const collections = over ? undefined : readPoke(data);
    if (collections) listener.poke(collections);
  });
  socket.addEventListener("error", end);
  socket.addEventListener("close", ({ code }) => {
    // Why the server lets nobody listen any more, such as a revoked till, is said in its next answer.
    if (!over && code === POLICY_VIOLATION) listener.poke([]);
    end();
  });
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

/** Base64 with the characters that a subprotocol may consist of. */
function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
