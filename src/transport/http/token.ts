/** Whose request it is. (transport) */
import type { TransportFailure, TransportResult } from "../../client/ports/transport.ts";
import type { HttpOptions, TokenRequest } from "./options.ts";

/**
 * Runs `attempt` with a token. Where the server does not take it, asks once more, saying which one was refused, and runs it
 * again with another one. Never a third time: the client waits until somebody signs in.
 */
export async function withToken<T>(
  getToken: HttpOptions["getToken"],
  signal: AbortSignal,
  attempt: (token: string) => Promise<TransportResult<T>>,
): Promise<TransportResult<T>> {
  let refused: string | undefined;
  for (;;) {
    let token: string | undefined;
    try {
      token = await getToken({ refused, signal });
    } catch (cause) {
      return failed({ kind: "unreachable", reason: "token_unavailable", cause });
    }
    if (!token && refused === undefined) return failed({ kind: "unauthorised", reason: "no_token" });
    if (!token || token === refused) return failed({ kind: "unauthorised", reason: "refused" });
    const result = await attempt(token);
    if (result.ok || !isRefusedToken(result.failure)) return result;
    if (refused !== undefined) return failed({ kind: "unauthorised", reason: "refused" });
    refused = token;
  }
}

/**
 * One renewal for one refused token, however many calls met it at the same time: a refresh token that is used twice looks
 * stolen, and the issuer then signs the till out.
 */
export function withSharedRenewal(getToken: HttpOptions["getToken"]): HttpOptions["getToken"] {
  let renewal: { readonly of: string; readonly token: Promise<string | undefined> } | undefined;
  const renew = async (request: TokenRequest) => getToken(request);
  return (request) => {
    if (request.refused === undefined) return getToken(request);
    if (renewal?.of === request.refused) return renewal.token;
    const started = { of: request.refused, token: renew(request) };
    renewal = started;
    const done = () => {
      if (renewal === started) renewal = undefined;
    };
    started.token.then(done, done);
    return started.token;
  };
}

function isRefusedToken(failure: TransportFailure): boolean {
  return failure.kind === "refused" && failure.status === 401;
}

function failed(failure: TransportFailure): { readonly ok: false; readonly failure: TransportFailure } {
  return { ok: false, failure };
}
