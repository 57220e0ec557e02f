/** How a till gets its token from the reference server. */
import type { Owner } from "./server.ts";
import { BRANCH } from "./shop.ts";

export async function signIn(url: string, owner: Owner, till: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...owner, device: { id: till, name: till }, branch: BRANCH }),
    signal,
  });
  const answer = (await response.json()) as { accessToken?: string };
  // A proxy in between may answer: anything that is no token counts as an outage.
  if (!response.ok || typeof answer.accessToken !== "string")
    throw new Error(`The login was answered ${response.status}`);
  return answer.accessToken;
}
