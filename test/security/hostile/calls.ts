/** The calls of honest people. Without Vitest: the program runs outside of it. */
import { randomUUID } from "node:crypto";

interface Address {
  readonly url: string;
}
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const PASSWORD = "correct horse battery";

/** A POST of JSON. */
export function call({ url }: Address, path: string, body: object, token?: string): Promise<Response> {
  return fetch(url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "tillsync-protocol": "1",
      "tillsync-request-id": randomUUID(),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
export async function json(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}

/** Registers a shop. Returns its owner's email. */
export async function register(server: Address): Promise<string> {
  const email = `owner-${randomUUID()}@shop.example`;
  const response = await call(server, "/auth/register", { tenant: { name: "Shop" }, email, password: PASSWORD });
  if (response.status !== 201) throw new Error(await response.text());
  return email;
}

/** Signs in at a new till of the branch `main`. */
export async function signIn(server: Address, email: string, device: string): Promise<Tokens> {
  return tokensOf(call(server, "/auth/login", { email, password: PASSWORD, device: { id: device }, branch: "main" }));
}

/** What a till does when its token has expired. Nobody slows that down, however often others guess passwords. */
export async function refresh(server: Address, { refreshToken }: Tokens): Promise<Tokens> {
  return tokensOf(call(server, "/auth/refresh", { refreshToken }));
}

async function tokensOf(answer: Promise<Response>): Promise<Tokens> {
  const response = await answer;
  if (response.status !== 200) throw new Error(`No tokens: ${response.status} ${await response.text()}`);
  return json(response);
}
