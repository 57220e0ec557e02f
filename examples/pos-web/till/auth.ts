/** Signing in and out, and renewing tokens. */
import type { TokenRequest } from "tillsync";
import { deviceId, deviceName, freshSession, readSession, type StoredSession, writeSession } from "./stored.ts";

export type SignInFault = "wrong" | "throttled" | "unreachable" | "server";

export class SignInError extends Error {
  override readonly name = "SignInError";
  readonly fault: SignInFault;

  constructor(fault: SignInFault, options?: ErrorOptions) {
    super(`Signing in failed: ${fault}`, options);
    this.fault = fault;
  }
}

interface TokensAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tenant: { readonly id: string };
  readonly user: { readonly id: string };
  readonly branch?: string;
}

const TIMEOUT_MS = 15_000;
const UNAUTHORISED = 401;
const THROTTLED = 429;
const SERVER_FAULT = 500;

/** @throws SignInError */
export async function signIn(email: string, password: string): Promise<StoredSession> {
  let response: Response;
  try {
    const device = { id: deviceId(), name: deviceName() };
    response = await post("/auth/login", { email, password, device });
  } catch (cause) {
    throw new SignInError("unreachable", { cause });
  }
  if (response.status === THROTTLED) throw new SignInError("throttled");
  if (response.status >= SERVER_FAULT) throw new SignInError("server");
  if (!response.ok) throw new SignInError("wrong");
  const answer = (await response.json()) as TokensAnswer;
  const session: StoredSession = {
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    tenant: answer.tenant.id,
    branch: answer.branch ?? "main",
    userId: answer.user.id,
    email,
  };
  await writeSession(session);
  return session;
}

/** The till forgets the person immediately, the server as soon as it is reached. */
export async function signOut(): Promise<void> {
  const session = readSession();
  if (session === undefined) return;
  await writeSession({ ...session, userId: undefined, email: undefined });
  try {
    await post("/auth/logout", {}, { authorization: `Bearer ${session.accessToken}` });
  } catch {
    // The server can't be reached. The page can't be used until a person signs in, which needs the server.
  }
}

/**
 * The `getToken` of the transport. A refused token is renewed once, by the first tab that notices: a refresh token that
 * is used twice looks stolen. Throws if no token can be obtained right now: that counts as offline, and no one has to
 * sign in again.
 */
export async function getToken({ refused, signal }: TokenRequest): Promise<string | undefined> {
  const held = readSession()?.accessToken;
  if (refused === undefined || held !== refused) return held;
  return navigator.locks.request("pos-web.renew", { signal }, async () => {
    const session = await freshSession();
    if (session === undefined || session.accessToken !== refused) return session?.accessToken;
    const response = await post("/auth/refresh", { refreshToken: session.refreshToken }, {}, signal);
    if (response.status === UNAUTHORISED) return undefined;
    if (!response.ok) throw new Error(`The tokens could not be renewed: ${response.status}`);
    const { accessToken, refreshToken } = (await response.json()) as TokensAnswer;
    // Read again: a person may have signed out or in meanwhile.
    const current = (await freshSession()) ?? session;
    if (current.refreshToken !== session.refreshToken) return current.accessToken;
    await writeSession({ ...current, accessToken, refreshToken });
    return accessToken;
  });
}

function post(
  path: string,
  body: object,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
}
