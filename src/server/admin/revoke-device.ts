/** `revokeDevice`: revokes a device, or reinstates it. */
import { isId } from "../../protocol/values.ts";
import { systemClock } from "../../shared/clock.ts";
import { invalidOption } from "../../shared/errors.ts";
import { asScript } from "../decide/rows/run.ts";
import type { WorkingSet } from "../decide/rows/working-set.ts";
import type { ServerStore } from "../ports/store.ts";
import { checkTarget } from "./target.ts";

/** The options of {@link revokeDevice}. */
export interface RevokeOptions {
  /** The database that holds the device. */
  readonly store: ServerStore;
  /** The tenant of the device. */
  readonly tenant: string;
  /** The device's id. */
  readonly device: string;
  /** `false` reinstates it. @default true */
  readonly revoked?: boolean | undefined;
  /** Epoch ms. @default the system's clock */
  readonly clock?: { now(): number } | undefined;
}

/**
 * Revokes a device, or reinstates it. The pushes of a revoked device go into quarantine, and it is served nothing else
 * [H6]. A restored database has forgotten the revocation: keep the list in the service that issues the tokens [M12].
 */
export async function revokeDevice(options: RevokeOptions): Promise<void> {
  const { store, tenant, device, revoked = true, clock = systemClock } = options;
  checkTarget(store, tenant);
  if (!isId(device)) throw invalidOption("device", "a device's id", device, "It is 1 to 64 of A-Z a-z 0-9 _ -.");
  const at = clock.now();
  const decide = (ws: WorkingSet) => {
    const known = ws.device(device) ?? { ...UNKNOWN_DEVICE, id: device, registeredAt: at };
    ws.putDevice({ ...known, revokedAt: revoked ? (known.revokedAt ?? at) : undefined });
  };
  await store.transact(tenant, asScript({ decide }));
}

const UNKNOWN_DEVICE = {
  name: undefined,
  os: undefined,
  appVersion: undefined,
  branch: undefined,
  revokedAt: undefined,
  lastPushAt: undefined,
};
