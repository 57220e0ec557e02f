/** What tills receive and do not change themselves. */
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";

export const settings: PolicyFor<Shop, "settings"> = {
  scope: { branch: (setting) => setting.branchId },
  allow: { read: "everyone", create: SCOPES.editSettings, update: SCOPES.editSettings, delete: SCOPES.editSettings },
};

/** The token issuer writes them when it grants the right to sign in. */
export const users: PolicyFor<Shop, "users"> = {
  scope: { branch: (user) => user.branchId },
  allow: { read: "everyone", create: "nobody", update: "nobody", delete: "nobody" },
};
