/** `/auth/*`: passes requests to the token issuer and returns its answers. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type * as z from "zod";
import { ProblemError } from "../problem.ts";
import type { AuthService } from "./auth-service.ts";
import { loginRequest, newUserRequest, refreshRequest, registerRequest } from "./requests.ts";

const MAX_BODY_BYTES = 16 * 1_024;

export function authRoutes(auth: AuthService, addressOf: (context: Context) => string): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));

  app.post("/register", async (context) => {
    return context.json(await auth.register(await bodyOf(context, registerRequest), addressOf(context)), 201);
  });
  app.post("/login", async (context) => {
    return context.json(await auth.login(await bodyOf(context, loginRequest), addressOf(context)));
  });
  app.post("/refresh", async (context) => {
    const { refreshToken } = await bodyOf(context, refreshRequest);
    return context.json(await auth.refresh(refreshToken));
  });
  app.post("/users", async (context) => {
    const principal = await signedIn(auth, context);
    const { id, email, name, roles, branch } = await auth.addUser(principal, await bodyOf(context, newUserRequest));
    return context.json({ user: { id, email, name, roles, branch } }, 201);
  });
  app.post("/logout", async (context) => {
    await auth.logout((await signedIn(auth, context)).session);
    return context.body(null, 204);
  });
  app.post("/devices/:id/revoke", async (context) => {
    await auth.revokeDevice(await signedIn(auth, context), context.req.param("id"));
    return context.body(null, 204);
  });
  return app;
}

async function signedIn(auth: AuthService, context: Context) {
  const principal = await auth.authenticate(context.req.raw);
  if (principal !== undefined) return principal;
  throw new ProblemError("unauthenticated", "The token is missing, expired or unknown", {
    "www-authenticate": "Bearer",
  });
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
