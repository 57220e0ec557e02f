/** How a till gets its token from the reference server. */
import { randomBytes } from "node:crypto";
import type { Owner } from "./server.ts";
import { BRANCH } from "./shop.ts";

/**
 * What proves that it is this till. It is the till's own choice: an answer with one of the server's may be lost, and then
 * the till would be shut out.
 */
const secrets = new Map<string, string>();

function secretOf(till: string): string {
  const secret = secrets.get(till) ?? randomBytes(32).toString("base64url");
  secrets.set(till, secret);
  return secret;
}

export async function signIn(url: string, owner: Owner, till: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...owner, device: { id: till, name: till, secret: secretOf(till) }, branch: BRANCH }),
    signal,
  });
  const answer = (await response.json()) as { accessToken?: string };
  // A proxy in between may answer: anything that is no token counts as an outage.
  if (!response.ok || typeof answer.accessToken !== "string")
    throw new Error(`The login was answered ${response.status}`);
  return answer.accessToken;
}
