/** `/auth/*`: passes requests to the token issuer and returns its answers. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type * as z from "zod";
import { ProblemError } from "../problem.ts";
import type { Caller } from "../security-log.ts";
import type { Person } from "./auth-parts.ts";
import type { AuthService } from "./auth-service.ts";
import {
  codeRequest,
  confirmedRequest,
  loginRequest,
  newUserRequest,
  passwordRequest,
  recoveryRequest,
  refreshRequest,
  registerRequest,
  removalRequest,
} from "./requests.ts";
import type { Identity } from "./sessions.ts";

const MAX_BODY_BYTES = 16 * 1_024;

export function authRoutes(auth: AuthService, callerOf: (context: Context) => Caller): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.use(onlyJson);
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));

  app.post("/register", async (context) => {
    return context.json(await auth.register(await bodyOf(context, registerRequest), callerOf(context)), 201);
  });
  app.post("/login", async (context) => {
    return context.json(await auth.login(await bodyOf(context, loginRequest), callerOf(context)));
  });
  app.post("/refresh", async (context) => {
    const { refreshToken } = await bodyOf(context, refreshRequest);
    return context.json(await auth.refresh(refreshToken, callerOf(context)));
  });
  app.post("/recovery", async (context) => {
    auth.requestRecovery((await bodyOf(context, recoveryRequest)).email, callerOf(context));
    return context.body(null, 202);
  });
  app.post("/logout", async (context) => {
    await auth.logout(await signedIn(auth, context), callerOf(context));
    return context.body(null, 204);
  });

  const personOf = async (context: Context): Promise<Person> =>
    person(await signedIn(auth, context), callerOf(context));
  app.post("/password", async (context) => {
    const who = await personOf(context);
    const { currentPassword, newPassword } = await bodyOf(context, passwordRequest);
    await auth.changePassword(who, currentPassword, newPassword);
    return context.body(null, 204);
  });
  app.get("/sessions", async (context) => {
    const who = await personOf(context);
    const sessions = (await auth.sessionsOf(who)).map(({ id, device, branch, startedAt, expiresAt }) => ({
      ...{ device, branch, startedAt, expiresAt },
      isThis: id === who.session,
    }));
    return context.json({ sessions });
  });
  app.post("/sessions/end", async (context) => {
    const who = await personOf(context);
    await auth.endOtherSessions(who, (await bodyOf(context, confirmedRequest)).currentPassword);
    return context.body(null, 204);
  });

  app.post("/second-factor/enrol", async (context) => {
    const who = await personOf(context);
    const { currentPassword } = await bodyOf(context, confirmedRequest);
    return context.json(await auth.secondFactors.enrol(who, currentPassword));
  });
  app.post("/second-factor/confirm", async (context) => {
    const who = await personOf(context);
    const { code } = await bodyOf(context, codeRequest);
    return context.json({ recoveryCodes: await auth.secondFactors.confirm(who, code) });
  });
  app.post("/second-factor/remove", async (context) => {
    const who = await personOf(context);
    const { currentPassword, code } = await bodyOf(context, removalRequest);
    await auth.secondFactors.remove(who, currentPassword, code);
    return context.body(null, 204);
  });

  const { people } = auth;
  app.get("/users", async (context) => {
    const who = await personOf(context);
    return context.json(await people.list(who, context.req.query("after") ?? ""));
  });
  app.post("/users", async (context) => {
    const who = await personOf(context);
    return context.json(await people.add(who, await bodyOf(context, newUserRequest)), 201);
  });
  app.post("/users/:id/recovery", async (context) => {
    return context.json(await people.issueCode(await personOf(context), context.req.param("id")));
  });
  app.post("/users/:id/disable", async (context) => {
    await people.disable(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  app.post("/users/:id/enable", async (context) => {
    await people.enable(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  app.post("/users/:id/sign-out", async (context) => {
    await people.signOut(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  app.post("/users/:id/second-factor/remove", async (context) => {
    await people.removeSecondFactor(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  const { devices } = auth;
  app.get("/devices", async (context) => {
    const who = await personOf(context);
    return context.json(await devices.list(who, context.req.query("after") ?? ""));
  });
  app.post("/devices/:id/release", async (context) => {
    await devices.release(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  app.post("/devices/:id/revoke", async (context) => {
    await devices.revoke(await personOf(context), context.req.param("id"));
    return context.body(null, 204);
  });
  return app;
}

async function signedIn(auth: AuthService, context: Context): Promise<Identity> {
  const identity = await auth.identify(context.req.raw);
  if (identity !== undefined) return identity;
  throw new ProblemError("unauthenticated", "The token is missing, expired or unknown", {
    "www-authenticate": "Bearer",
  });
}

/** Before the body is looked at: a stolen till that was revoked is refused, whatever it sends. */
function person({ user, session, isRevoked, principal }: Identity, caller: Caller): Person {
  if (user === undefined || isRevoked) {
    throw new ProblemError("forbidden", "Expected the token of a signed-in person, at a till that is not revoked");
  }
  return { user, session: session.id, device: session.device, scopes: principal.scopes, caller };
}

/** A page of another origin can send a form or plain text without being asked first, and JSON only if it is allowed to. */
async function onlyJson(context: Context, next: () => Promise<void>): Promise<void> {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (context.req.method === "POST" && type !== "application/json") {
    throw new ProblemError("unsupported_media_type", "Expected the header content-type: application/json");
  }
  await next();
}

async function bodyOf<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const body: unknown = await context.req.json().catch(() => {
    throw new ProblemError("malformed", "The body is not JSON");
  });
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  // Which member, and what was expected. Never the value received, which may be a password.
  const issues = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ProblemError("malformed", issues.join("; "));
}

function tooLarge(): never {
  throw new ProblemError("too_large", `A body has at most ${MAX_BODY_BYTES} bytes`);
}
