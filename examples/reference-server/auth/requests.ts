/** The request bodies of `/auth/*`. */
import * as z from "zod";
import { role } from "../roles.ts";
import { isOffice } from "./auth-parts.ts";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const name = z.string().trim().min(1).max(200);
const email = z.string().trim().toLowerCase().max(254).pipe(z.email());
/** Length matters more than special characters. The maximum bounds the work of the hash, which reads all of it. */
const newPassword = z.string().min(10).max(200);

const password = z.string().max(200);
/** Six digits of an app, or a recovery code with its hyphens. */
const code = z.string().max(64);

export const registerRequest = z.object({ tenant: z.object({ name }), email, password: newPassword });
export const loginRequest = z.object({
  email: z.string().trim().toLowerCase().max(254),
  password,
  newPassword: newPassword.optional(),
  code: code.optional(),
  device: z.object({ id, name: z.string().max(128).optional(), secret: z.string().max(128).optional() }).optional(),
  branch: id.optional(),
});
export const refreshRequest = z.object({ refreshToken: z.string().min(1).max(256) });
export const newUserRequest = z
  .object({
    email,
    password: newPassword.optional(),
    name: name.optional(),
    roles: z.array(role).min(1),
    branch: id.optional(),
  })
  // Without one, a cashier could choose any branch at each sign-in.
  .refine(({ roles, branch }) => branch !== undefined || isOffice(roles), {
    path: ["branch"],
    message: "Expected the branch of a cashier. Only owners and managers may work in every branch",
  });
export const recoveryRequest = z.object({ email: z.string().trim().toLowerCase().max(254) });
export const passwordRequest = z.object({ currentPassword: password, newPassword });
export const confirmedRequest = z.object({ currentPassword: password });
export const codeRequest = z.object({ code });
export const removalRequest = z.object({ currentPassword: password, code: code.default("") });

export type RegisterRequest = z.infer<typeof registerRequest>;
export type LoginRequest = z.infer<typeof loginRequest>;
export type NewUserRequest = z.infer<typeof newUserRequest>;
