/** S13: whoever was revoked is given nothing more, and what it sends takes no effect before a person releases it [H6]. */
import { isOpenQuarantine, type OperationRow } from "../../../src/server/ports/rows.ts";
import type { StoreWrites } from "../../../src/server/ports/store.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";

/** What a revoked device may have waiting for people, in bytes of what it sent (docs/security.md). */
const MOST_BYTES = 4 * 1024 * 1024;

/** Whether the server knows by now. */
export function isRevoked({ server }: SimWorld, device: string): boolean {
  // Without a look at all rows where nobody was.
  if (!server.revoked.has(device)) return false;
  const { devices = [] } = server.rows();
  return devices.some(({ id, revokedAt }) => id === device && revokedAt !== undefined);
}

interface Result {
  readonly id: string;
  readonly status: string;
  readonly replayed?: boolean | undefined;
  readonly data?: object | undefined;
  readonly server?: { readonly data?: object | undefined } | undefined;
}

/** What the server answers to one of whom it knew that when it was asked. */
export function judgeServed(world: SimWorld, name: string, path: string, answer: string): void {
  const wrong = (what: string) => world.violation("S13", `${name} was revoked, and ${what}`);
  // Whoever has the address is told the time.
  if (path !== "push" && path !== "time") wrong(`was served ${path}`);
  const { results = [] } = JSON.parse(answer) as { readonly results?: readonly Result[] };
  for (const { id, status, replayed, data, server } of results) {
    if (data !== undefined || server?.data !== undefined) wrong(`was shown the row of ${id}`);
    if (status === "applied" && !replayed) wrong(`was told that ${id} is applied`);
  }
}

export const revoked: Invariant = {
  name: "S13",
  check(world) {
    const rows = world.server.rows();
    for (const { id, revokedAt } of rows.devices ?? [])
      if (revokedAt !== undefined) judgeSent(world, rows, id, revokedAt);
    for (const machine of world.machines) {
      const position = world.server.revokedAt.get(machine.deviceId);
      if (position === undefined) continue;
      const own = new Set(machine.operations().map(({ collection, entityId }) => `${collection}/${entityId}`));
      for (const [subject, { version }] of machine.heights)
        if (version > position && !own.has(subject))
          world.violation("S13", `${machine.name} was told of ${subject} after it was revoked`);
    }
  },
};

/** What it has sent since is for people to judge: it lies on their desk, within what may lie there, and stands for nothing. */
function judgeSent(world: SimWorld, { operations = [] }: StoreWrites, device: string, revokedAt: number): void {
  const own = operations.filter((row) => row.device === device);
  // What has no hash did not come at all: it was replaced before, perhaps by what people have released since.
  const since = new Map(
    own
      .filter(({ receivedAt, revision, hash }) => receivedAt > revokedAt && revision === 0 && hash !== "")
      .map((row) => [row.id, row]),
  );
  for (const { id, status } of since.values())
    if (status !== "quarantined")
      world.violation("S13", `${id} of ${device} is ${status}, and came after ${device} was revoked`);
  for (const { id, supersededBy = "" } of operations)
    if (since.has(supersededBy))
      world.violation("S13", `${id} was replaced by ${supersededBy}, which came after ${device} was revoked`);
  const waiting = own.filter(isOpenQuarantine);
  const bytes = waiting.reduce((sum, row) => sum + bytesOf(row), 0);
  if (bytes > MOST_BYTES && waiting.some(({ id }) => since.has(id)))
    world.violation("S13", `${device} was revoked, and ${bytes} bytes of it wait for people`);
}

const bytesOf = ({ operation }: OperationRow) => Buffer.byteLength(JSON.stringify(operation ?? null));
