/** Who may do what: people have roles; a token carries scopes, which the policies ask for. */
import * as z from "zod";

export const SCOPES = {
  sell: "sales:write",
  refund: "refunds:write",
  moveStock: "stock:write",
  runShift: "shifts:write",
  editCustomers: "customers:write",
  eraseCustomers: "customers:delete",
  editCatalog: "catalog:write",
  buy: "purchases:write",
  editSettings: "settings:write",
  manageUsers: "users:write",
  /** For the desks: conflicts and quarantine. The default of the option `deskScope`. */
  desk: "sync:desk",
} as const;

export const role = z.enum(["owner", "manager", "cashier"]);
export type Role = z.infer<typeof role>;

const AT_THE_TILL = [SCOPES.sell, SCOPES.refund, SCOPES.moveStock, SCOPES.runShift, SCOPES.editCustomers] as const;
const IN_THE_OFFICE = [...AT_THE_TILL, SCOPES.editCatalog, SCOPES.buy, SCOPES.editSettings, SCOPES.desk] as const;

const SCOPES_OF_ROLES: Readonly<Record<Role, readonly string[]>> = {
  cashier: AT_THE_TILL,
  manager: IN_THE_OFFICE,
  owner: [...IN_THE_OFFICE, SCOPES.manageUsers, SCOPES.eraseCustomers],
};

/** A till at which no one is signed in still pushes what was sold at it. */
const SCOPES_OF_A_DEVICE: readonly string[] = AT_THE_TILL;

export function scopesOf(roles: readonly Role[], onDevice: boolean): readonly string[] {
  const scopes = [...(onDevice ? SCOPES_OF_A_DEVICE : []), ...roles.flatMap((name) => SCOPES_OF_ROLES[name])];
  return [...new Set(scopes)];
}
