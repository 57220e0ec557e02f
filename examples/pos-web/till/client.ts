/** The sync client of this till, and the switch that pauses it. */
import { type CollectionMap, createSyncClient, http, type RecordOf, type SyncClient } from "tillsync";
import { collections } from "../../reference-server/collections.ts";
import { FORCED_OFFLINE } from "../model/status-words.ts";
import { getToken } from "./auth.ts";
import { deviceId, deviceName, isForcedOffline, readSession, type StoredSession } from "./stored.ts";

type Shop = typeof collections;
export type Till = SyncClient<Shop>;
export type Product = RecordOf<Shop["products"]>;
export type Category = RecordOf<Shop["categories"]>;
export type Sale = RecordOf<Shop["sales"]>;
export type Payment = RecordOf<Shop["payments"]>;
export type Refund = RecordOf<Shop["refunds"]>;

/** One database for each shop and branch: a store belongs to one branch. */
export function makeTill({ tenant, branch }: StoredSession): Till {
  const till = createSyncClient({
    name: `${tenant}-${branch}`,
    transport: http({ url: "/sync", getToken }),
    collections: collections satisfies CollectionMap,
    device: { id: deviceId(), name: deviceName() },
    actor: () => readSession()?.userId,
  });
  obeySwitch(till);
  return till;
}

/**
 * Works offline by choice: pauses the client in every tab. This doesn't simulate a broken network: nothing is sent or
 * fetched, and the status says that it was switched off.
 */
export function obeySwitch(till: Till): void {
  if (isForcedOffline()) till.pause(FORCED_OFFLINE);
  else till.resume(FORCED_OFFLINE);
}
