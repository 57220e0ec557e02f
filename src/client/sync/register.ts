/** The first call of a session: the store introduces itself, and learns whose shop it is in. */
import { decideRegistration } from "../decide/registration.ts";
import type { SyncEvent } from "../decide/sync-machine.ts";
import type { TransportFailure } from "../ports/transport.ts";
import { storeRegistration } from "../scripts/identity.ts";
import { QUEUE, type QueueState } from "../state/meta.ts";
import { META } from "../state/tables.ts";
import { type CallContext, failed, isElsewhere } from "./call-context.ts";

export interface RegisterDeps {
  readonly device: { readonly name?: string | undefined; readonly appVersion?: string | undefined };
  /** A revoked device is not let in any more, but what it still holds is taken, into quarantine: its sales must end somewhere [H6] (L1). */
  handOver(): Promise<void>;
}

export async function register(
  ground: CallContext,
  deps: RegisterDeps,
  fence: number,
  signal: AbortSignal,
): Promise<SyncEvent> {
  const { store, transport, notice } = ground.deps;
  const [identity, point] = await ground.whoAndWhere();
  const { name, appVersion } = deps.device;
  const result = await transport.register(
    {
      device: { id: identity.deviceId, incarnation: identity.incarnation, name, appVersion },
      schemaVersion: ground.schemaVersion,
      ...(point.epoch !== undefined && { epoch: point.epoch, marks: point.marks }),
    },
    ground.transportCall(identity, signal),
  );
  if (!result.ok) {
    const { failure } = result;
    if (isRevoked(failure) && point.epoch !== undefined && !isElsewhere(failure, point)) await deps.handOver();
    return ground.refused("register", failure, fence);
  }
  ground.contact(result.timing);
  const { value } = result;
  const [queue] = await store.get<QueueState>(META, [QUEUE]);
  const verdict = decideRegistration(identity, queue?.sequence ?? 0, value);
  if (verdict.kind === "wrong_workspace") {
    const detail = "The token is for another shop than this store.";
    return failed("register", { kind: "refused", code: "wrong_workspace", status: 403, detail });
  }
  if (verdict.loss) notice({ kind: "storage_lost", ...verdict.loss });
  if (verdict.kind === "rolled_back") return ground.fork(fence);
  const { tenant, branch, epoch, mark, device } = value;
  const registration = { tenant, branch, number: device.number, epoch, mark };
  const stored = await store.transact("register", "strict", [], () => storeRegistration(fence, registration));
  if (stored === undefined) return { kind: "lost" };
  notice({ kind: "identity", identity: stored.identity });
  return stored.point.epoch === epoch ? { kind: "registered" } : ground.follow(fence, epoch);
}

function isRevoked(failure: TransportFailure): boolean {
  return failure.kind === "refused" && failure.code === "device_revoked";
}
