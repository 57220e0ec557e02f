/** The first call of a session: the store registers with the server, and learns whose shop it belongs to. */
import { decideRegistration } from "../decide/registration.ts";
import type { FailedHandOver, MachineEvent } from "../decide/sync-machine.ts";
import type { TransportFailure } from "../ports/transport.ts";
import { storeRegistration } from "../scripts/identity.ts";
import { QUEUE, type QueueState } from "../state/meta.ts";
import { META } from "../state/tables.ts";
import { type CallContext, failed, isElsewhere } from "./call-context.ts";

export interface RegisterDeps {
  readonly device: { readonly name?: string | undefined; readonly appVersion?: string | undefined };
  /**
   * Sends what a revoked device still has. The server accepts it into quarantine, so that its sales end somewhere [H6]
   * (L1). Resolves with the failure that ended it, if a request failed.
   */
  handOver(): Promise<FailedHandOver | undefined>;
}

/** Registers the store, and carries out what the server's answer says of it. */
export async function register(
  call: CallContext,
  deps: RegisterDeps,
  fence: number,
  signal: AbortSignal,
): Promise<MachineEvent> {
  const { store, transport } = call;
  const [identity, point] = await call.whoAndWhere();
  const { name, appVersion } = deps.device;
  const result = await transport.register(
    {
      device: { id: identity.deviceId, incarnation: identity.incarnation, name, appVersion },
      schemaVersion: call.schemaVersion,
      ...(identity.firstSequence !== undefined && { firstSequence: identity.firstSequence }),
      ...(point.epoch !== undefined && { epoch: point.epoch, marks: point.marks }),
    },
    call.transportCall(identity, signal),
  );
  if (!result.ok) {
    const { failure } = result;
    const isDue = isRevoked(failure) && point.epoch !== undefined && !isElsewhere(failure, point);
    const handOver = isDue ? await deps.handOver() : undefined;
    const event = await call.afterFailure("register", failure, fence);
    return event.kind === "failed" ? { ...event, handOver } : event;
  }
  call.contact(result.timing);
  const { value } = result;
  const [queue] = await store.get<QueueState>(META, [QUEUE]);
  const verdict = decideRegistration(identity, queue?.sequence ?? 0, value);
  if (verdict.kind === "wrong_workspace") {
    const detail = "The token belongs to another shop or branch than this store.";
    return failed("register", { kind: "refused", code: "wrong_workspace", status: 403, detail });
  }
  if (verdict.loss) call.notice({ kind: "storage_lost", ...verdict.loss });
  if (verdict.kind === "rolled_back") return call.fork(fence);
  const { tenant, branch, epoch, mark, device } = value;
  const registration = { tenant, branch, number: device.number, epoch, mark };
  const stored = await store.transact("register", "strict", [], () => storeRegistration(fence, registration));
  if (stored === undefined) return { kind: "lost" };
  call.notice({ kind: "identity", identity: stored.identity });
  return stored.point.epoch === epoch ? { kind: "registered" } : call.follow(fence, epoch);
}

function isRevoked(failure: TransportFailure): boolean {
  return failure.kind === "refused" && failure.code === "device_revoked";
}
