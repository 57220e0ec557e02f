/** People who decide: at the till, and in the back office, which both may do at once. */
import type { ConflictOf } from "tillsync";
import type { Draw } from "../engine/draw.ts";
import type { Tab } from "../machines/tab.ts";
import type { World } from "../world.ts";
import type { Command } from "./command.ts";

export async function resolveAtTill(tab: Tab, draw: Draw): Promise<number> {
  const open = await tab.client.conflicts.list();
  for (const conflict of open) {
    const choice = draw.pick(["client", "server", "merged"] as const);
    const merged = { name: `Agreed ${draw.int(0, 9)}` };
    const isDeleted = conflict.client === undefined || conflict.server === undefined;
    const one = conflict as ConflictOf<never, never>;
    await tab.client.conflicts.resolve(
      one,
      choice === "merged" ? (isDeleted ? "client" : ({ merged } as never)) : choice,
    );
  }
  return open.length;
}

/** Rejected edits are corrected, sent again, or given up. */
export async function reviseAtTill(tab: Tab, draw: Draw, givesUp = false): Promise<number> {
  const rejected = await tab.client.operations.list({ state: "rejected" });
  for (const operation of rejected) {
    if (operation.kind === "fact") continue;
    const what = givesUp ? "discard" : draw.pick(["retry", "amend", "discard"] as const);
    if (what === "retry") await tab.client.operations.retry(operation.id);
    else if (what === "amend" && (operation.change.action === "create" || operation.change.action === "update"))
      await tab.client.operations.amend(operation as never, { name: `Corrected ${draw.int(0, 9)}` } as never);
    else await tab.client.operations.discard(operation as never, { reason: "no longer wanted" });
  }
  return rejected.length;
}

interface ConflictList {
  readonly conflicts: readonly { readonly id: string }[];
}
interface QuarantineList {
  readonly quarantined: readonly { readonly operation: { readonly id: string } }[];
}

export async function settleInOffice(world: World, draw: Draw): Promise<number> {
  const { server } = world;
  const listed = (await server.desk("conflicts")) as ConflictList | undefined;
  for (const { id } of listed?.conflicts ?? [])
    await server.desk(`conflicts/${id}/resolve`, { choice: draw.pick(["client", "server"]) });
  const kept = (await server.desk("quarantine")) as QuarantineList | undefined;
  for (const { operation } of kept?.quarantined ?? []) {
    if (draw.chance(0.8)) await server.desk(`quarantine/${operation.id}/release`, {});
    else await server.desk(`quarantine/${operation.id}/discard`, { reason: "a mistake" });
  }
  return (listed?.conflicts.length ?? 0) + (kept?.quarantined.length ?? 0);
}

const resolve: Command = {
  kind: "resolve",
  weight: 2,
  run: async ({ tab, draw }) => `${await resolveAtTill(tab, draw)} conflicts`,
};
const revise: Command = {
  kind: "revise",
  weight: 2,
  run: async ({ tab, draw }) => `${await reviseAtTill(tab, draw)} rejected`,
};
const office: Command = {
  kind: "office",
  weight: 1,
  async run({ world, draw }) {
    try {
      return `${await settleInOffice(world, draw)} settled`;
    } catch {
      return "the server is down";
    }
  },
};
const syncNow: Command = {
  kind: "sync_now",
  weight: 2,
  run: async ({ tab }) => (await tab.client.sync()).outcome,
};
const pauseAndResume: Command = {
  kind: "pause",
  weight: 1,
  async run({ world, tab, draw }) {
    tab.client.pause("tea");
    await world.timeline.wait(draw.int(100, 20_000));
    tab.client.resume("tea");
    return "resumed";
  },
};

export const desks: readonly Command[] = [resolve, revise, office, syncNow, pauseAndResume];
