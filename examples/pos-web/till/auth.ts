/** Signing in and out, passwords and second factors, and renewing tokens. */
import type { TokenRequest } from "tillsync";
import {
  deviceId,
  deviceName,
  deviceSecret,
  freshSession,
  readSession,
  rememberDeviceSecret,
  type StoredSession,
  writeSession,
} from "./stored.ts";

export type SignInFault =
  | "wrong"
  | "ended"
  | "throttled"
  | "unreachable"
  | "server"
  | "second_factor"
  | "wrong_code"
  | "change"
  | "weak"
  | "disabled"
  | "branch"
  | "device"
  | "exists";

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
  /** The secret only if this sign-in has registered the till. */
  readonly device?: { readonly secret?: string };
  readonly branch?: string;
  readonly required?: "second_factor";
}

/** What a person types. The last two only if the server has asked for them. */
export interface SignInForm {
  readonly email: string;
  /** Or a one-time code of the owner's, with a new password. */
  readonly password: string;
  readonly newPassword?: string | undefined;
  readonly code?: string | undefined;
}

const TIMEOUT_MS = 15_000;
const UNAUTHORISED = 401;
const THROTTLED = 429;
const SERVER_FAULT = 500;

/** By the code of the server's answer. */
const FAULTS: Readonly<Record<string, SignInFault>> = {
  unauthenticated: "ended",
  second_factor_required: "second_factor",
  invalid_second_factor: "wrong_code",
  password_change_required: "change",
  weak_password: "weak",
  account_disabled: "disabled",
  forbidden: "branch",
  device_taken: "device",
  second_factor_exists: "exists",
  changed_meanwhile: "server",
};

/** @throws SignInError */
export async function signIn(form: SignInForm): Promise<StoredSession> {
  await settleSignOut();
  // Another tab may have registered the till meanwhile.
  await freshSession();
  const device = { id: deviceId(), name: deviceName(), secret: deviceSecret() };
  const answer = (await answered(post("/auth/login", { ...form, device }))) as TokensAnswer;
  // First of all: without it this till gets no further tokens.
  const { secret } = answer.device ?? {};
  if (secret !== undefined && secret !== device.secret) await rememberDeviceSecret(secret);
  const session: StoredSession = {
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    tenant: answer.tenant.id,
    branch: answer.branch ?? "main",
    userId: answer.user.id,
    email: form.email,
    needsSecondFactor: answer.required === "second_factor",
  };
  await writeSession(session);
  return session;
}

/** The person's other sessions end. Throws SignInError: `wrong` is the current password. */
export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  await authorised("/auth/password", { currentPassword, newPassword });
}

/** The secret for an authenticator app. @throws SignInError */
export async function enrolSecondFactor(currentPassword: string) {
  return (await authorised("/auth/second-factor/enrol", { currentPassword })) as { secret: string; uri: string };
}

/** The recovery codes, shown once. @throws SignInError */
export async function confirmSecondFactor(code: string): Promise<readonly string[]> {
  const answer = await authorised("/auth/second-factor/confirm", { code });
  // The rights that were held back come with the next tokens.
  const session = readSession();
  if (session !== undefined) {
    await writeSession({ ...session, needsSecondFactor: false });
    await renew(session.accessToken).catch(() => {});
  }
  return (answer as { recoveryCodes: string[] }).recoveryCodes;
}

/** The till forgets the person immediately, the server as soon as it is reached. */
export async function signOut(): Promise<void> {
  const session = readSession();
  if (session === undefined) return;
  await writeSession({ ...session, userId: undefined, email: undefined, owesSignOut: true });
  await settleSignOut();
}

/** Tells the server of a sign-out that it does not know of. If it can't be reached, the next request to it does. */
async function settleSignOut(signal?: AbortSignal): Promise<void> {
  const session = readSession();
  if (session?.owesSignOut !== true) return;
  try {
    const { ok } = await post("/auth/logout", {}, { authorization: `Bearer ${session.accessToken}` }, signal);
    // A token that has expired is renewed by whoever needs it next, and then this is tried again.
    if (!ok) return;
    const current = await freshSession();
    if (current?.accessToken === session.accessToken) await writeSession({ ...current, owesSignOut: false });
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
  // Before anything else is sent: the person's rights must have ended by then.
  await settleSignOut(signal);
  const held = readSession()?.accessToken;
  if (refused === undefined || held !== refused) return held;
  const renewed = await navigator.locks.request("pos-web.renew", { signal }, async () => {
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
  await settleSignOut(signal);
  return renewed;
}

function renew(refused: string): Promise<string | undefined> {
  return getToken({ refused, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** A request of the person who is signed in. Renews a token that has expired. @throws SignInError */
async function authorised(path: string, body: object): Promise<unknown> {
  const send = (token: string | undefined) => post(path, body, { authorization: `Bearer ${token}` });
  const held = readSession()?.accessToken;
  const request = async () => {
    const first = await send(held);
    if (first.status !== UNAUTHORISED || held === undefined) return first;
    // A wrong code has the same status. Then the token is still good, and renewing it does no harm.
    const { code } = (await first.clone().json()) as { code: string };
    return code === "unauthenticated" ? send(await renew(held)) : first;
  };
  return answered(request());
}

/** The body of a good answer. @throws SignInError */
async function answered(request: Promise<Response>): Promise<unknown> {
  let response: Response;
  try {
    response = await request;
  } catch (cause) {
    throw new SignInError("unreachable", { cause });
  }
  if (response.status === THROTTLED) throw new SignInError("throttled");
  if (response.status >= SERVER_FAULT) throw new SignInError("server");
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => ({}));
  if (response.ok) return body;
  const { code = "" } = body as { code?: string };
  throw new SignInError(FAULTS[code] ?? "wrong");
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
