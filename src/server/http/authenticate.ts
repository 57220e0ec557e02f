/** Finds out who calls: the token decides, and whatever else names a device must name the same one [M9] (L9). */
import { HEADERS } from "../../protocol/constants.ts";
import { isId } from "../../protocol/values.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { RequestProblem, unavailable } from "../problems.ts";

/** @throws RequestProblem `unauthenticated`, `unavailable` */
export async function principalOf(parts: Pick<ServerParts, "authenticate">, request: Request): Promise<Principal> {
  let principal: Principal | undefined;
  try {
    principal = await parts.authenticate(request);
  } catch (cause) {
    throw unavailable("The token can't be checked now", cause);
  }
  if (principal === undefined || principal === null) {
    throw new RequestProblem("unauthenticated", "The token is missing, expired or not known", {
      headers: { "www-authenticate": "Bearer" },
    });
  }
  checkPrincipal(principal);
  return principal;
}

/**
 * These values become keys of the database. A value that does not fit is a mistake of the application, and its log must
 * say so.
 */
function checkPrincipal({ tenant, branch, device, scopes, expiresAt }: Principal): void {
  const wrong = (member: string) =>
    new Error(`\`authenticate\` returned a \`${member}\` that is not 1 to 64 of A-Z a-z 0-9 _ -`);
  if (!isId(tenant)) throw wrong("tenant");
  if (branch !== undefined && !isId(branch)) throw wrong("branch");
  if (device !== undefined && !isId(device)) throw wrong("device");
  if (!Array.isArray(scopes)) throw new Error("`authenticate` returned no `scopes`: return at least `scopes: []`");
  if (expiresAt !== undefined && !Number.isFinite(expiresAt))
    throw new Error("`authenticate` returned an `expiresAt` that is not in epoch ms: a JWT's `exp` is in seconds");
}

/**
 * The device that the request speaks for.
 *
 * @throws RequestProblem `device_mismatch`
 */
export function deviceOf(principal: Principal, request: Request, inBody?: string | undefined): string | undefined {
  const inHeader = request.headers.get(HEADERS.device) ?? undefined;
  const named = [principal.device, inHeader, inBody].filter((device) => device !== undefined);
  const [device] = named;
  if (named.some((other) => other !== device)) {
    throw new RequestProblem("device_mismatch", "Token, header and body do not name the same device");
  }
  return device;
}
