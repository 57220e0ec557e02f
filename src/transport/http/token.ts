/** Gets the token of a request, and a second one if the server refuses the first. */
import type { TransportResult } from "../../client/ports/transport.ts";
import { orAborted } from "../../shared/abort.ts";
import { failed } from "./failure.ts";
import type { HttpOptions } from "./options.ts";

/**
 * Runs `attempt` with a token. If the server refuses it, calls `getToken` once more with the refused token, and runs
 * `attempt` again with the new one. Never a third time: the client then waits until a person signs in.
 */
export async function withToken<T>(
  getToken: HttpOptions["getToken"],
  signal: AbortSignal,
  attempt: (token: string) => Promise<TransportResult<T>>,
): Promise<TransportResult<T>> {
  for (let refused: string | undefined; ; ) {
    let token: string | undefined;
    try {
      token = await getToken({ refused, signal });
    } catch (cause) {
      return failed({ kind: "unreachable", reason: "token_unavailable", cause });
    }
    const result = token && token !== refused ? await attempt(token) : undefined;
    const isRefused = result?.ok === false && result.failure.kind === "refused" && result.failure.status === 401;
    if (result && !isRefused) return result;
    if (!result || refused !== undefined) {
      return failed({ kind: "unauthorised", reason: refused === undefined ? "no_token" : "refused" });
    }
    refused = token;
  }
}

/**
 * One renewal for one refused token, even if the token of many calls was refused at the same time: a refresh token that
 * is used twice looks stolen, and the issuer then signs the till out.
 */
export function withSharedRenewal(getToken: HttpOptions["getToken"]): HttpOptions["getToken"] {
  let renewal: { readonly of: string; readonly token: Promise<string | undefined> } | undefined;
  return (request) => {
    const { refused } = request;
    if (refused === undefined) return getToken(request);
    if (renewal?.of === refused) return renewal.token;
    const token = (async () => getToken(request))();
    const started = { of: refused, token };
    renewal = started;
    const done = () => {
      if (renewal === started) renewal = undefined;
    };
    // Shared only as long as the call that started it: if it never settles, the next call starts another one.
    orAborted(token, request.signal).then(done, done);
    return token;
  };
}
