/** Errors of a whole request in the form that the sync endpoints use too (RFC 9457). */

const TITLES = {
  malformed: [400, "The request is malformed"],
  weak_password: [400, "The new password is easy to guess"],
  unauthenticated: [401, "Nobody is signed in"],
  invalid_credentials: [401, "Email or password is wrong"],
  invalid_refresh_token: [401, "Sign in again"],
  second_factor_required: [401, "The second factor is missing"],
  invalid_second_factor: [401, "The code is wrong or was used"],
  forbidden: [403, "The token does not allow this"],
  device_taken: [403, "The device is registered"],
  device_mismatch: [403, "The token is another device's"],
  wrong_password: [403, "The current password is wrong"],
  password_change_required: [403, "Choose a new password"],
  account_disabled: [403, "The account is disabled"],
  registration_closed: [403, "This server registers no further shops"],
  origin_refused: [403, "Pages of this origin may not call"],
  not_found: [404, "There is nothing here"],
  method_not_allowed: [405, "Not with this method"],
  email_taken: [409, "The email address is in use"],
  changed_meanwhile: [409, "It was changed at the same time"],
  second_factor_exists: [409, "There is a second factor already"],
  too_large: [413, "The request is too large"],
  unsupported_media_type: [415, "The body is not JSON"],
  throttled: [429, "Too many requests"],
  internal: [500, "The server failed"],
  unavailable: [503, "The server can't answer now"],
} as const;

export type ProblemCode = keyof typeof TITLES;

/** Thrown while a request is handled; caught in one place, in the app. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }
}

export function problemResponse({ code, detail, headers }: ProblemError, requestId: string): Response {
  const [status, title] = TITLES[code];
  const body = { type: `urn:tillsync:problem:${code}`, title, status, detail, code, requestId };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}
