/** People who decide: at the till, and in the back office, which both may do at once. */
import type { ConflictOf } from "tillsync";
import type { Draw } from "../engine/draw.ts";
import type { Tab } from "../machines/tab.ts";
import type { SimWorld } from "../world.ts";
import type { Command } from "./command.ts";

type Json = Readonly<Record<string, unknown>>;
/** Of somebody at the office, at one conflict. */
const LONGEST_LOOK_MS = 4_000;
const pick = (from: Json, names: readonly string[]) => Object.fromEntries(names.map((name) => [name, from[name]]));
const isElse = (wanted: Json, there: Json | undefined) =>
  Object.entries(wanted).some(([name, value]) => there?.[name] !== value);

export async function resolveAtTill(tab: Tab, draw: Draw): Promise<number> {
  const open = await tab.client.conflicts.list();
  const { machine } = tab;
  for (const conflict of open) {
    const choice = draw.pick(["client", "server", "merged"] as const);
    const merged = { name: `Agreed ${draw.int(0, 9)}` };
    const isDeleted = conflict.client === undefined || conflict.server === undefined;
    const one = conflict as ConflictOf<never, never>;
    await tab.client.conflicts.resolve(
      one,
      choice === "merged" ? (isDeleted ? "client" : ({ merged } as never)) : choice,
    );
    if (choice === "server" || isDeleted) continue;
    const wanted =
      choice === "merged"
        ? merged
        : pick(
            conflict.client as Json,
            conflict.fields.map(({ field }) => field),
          );
    const successor = machine.operations().find(({ supersedes }) => supersedes?.includes(conflict.id));
    const shown = machine.base(conflict.collection, conflict.entityId);
    if (successor?.action === "void" && isElse(wanted, conflict.server as Json) && isElse(wanted, shown))
      machine.world.violation("S10", `${tab.name} dropped what was chosen for the conflict ${conflict.id}`);
  }
  return open.length;
}

/** Rejected edits are corrected, sent again, or given up; and in the end also what waits for a row that nobody brings back [C8.6]. */
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
  if (givesUp)
    for (const { id, kind, missing } of tab.machine.operations())
      if (missing && kind === "record")
        await tab.client.operations.discard({ id } as never, { reason: "its row is gone" });
  return rejected.length;
}

interface ConflictList {
  readonly conflicts: readonly {
    readonly id: string;
    readonly server: { readonly version: number };
    readonly current?: { readonly version: number };
  }[];
}
interface QuarantineList {
  readonly quarantined: readonly { readonly operation: { readonly id: string } }[];
}

/** The office has chosen the till's side: its fields are there, or somebody has written since. */
function isWritten(world: SimWorld, id: string): void {
  const { operations = [], records = [] } = world.server.rows();
  const sent = operations.find((row) => row.id === id);
  const operation = sent?.operation;
  const row = records.find((one) => one.collection === sent?.collection && one.id === sent?.entityId);
  if (operation?.action !== "update" || row?.state !== "live") return;
  const isUntouched = Object.keys(operation.patch).every((name) => row.fields[name]?.[1] !== "office");
  if (isUntouched && isElse(operation.patch, row.data))
    world.violation("S10", `the office chose the till's side of ${id}, and it is not written`);
}

export async function settleInOffice(world: SimWorld, draw: Draw): Promise<number> {
  const { server } = world;
  const listed = (await server.desk("conflicts")) as ConflictList | undefined;
  for (const { id, server: found, current = found } of listed?.conflicts ?? []) {
    // Meanwhile the till may settle it, too.
    if (draw.chance(0.5)) await world.timeline.wait(draw.int(0, LONGEST_LOOK_MS));
    const choice = draw.pick(["client", "server"] as const);
    const answer = await server.desk(`conflicts/${id}/resolve`, { choice, version: current.version });
    if (answer !== undefined && choice === "client") isWritten(world, id);
  }
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
/** A sale that was set aside, sent again by the shop while the office may be letting it in. */
const again: Command = {
  kind: "send_again",
  weight: 2,
  async run({ tab, draw }) {
    const aside = await tab.client.operations.list({ state: "quarantined" });
    if (aside.length === 0) return "nothing is set aside";
    const { id } = draw.pick(aside);
    await tab.client.operations.retry(id);
    return id;
  },
};
/** An edit that is on its way, or was: its author has thought better of it. */
const thinkBetter: Command = {
  kind: "think_better",
  weight: 3,
  async run({ tab, draw }) {
    const pending = await tab.client.operations.list({ state: ["pending", "in_flight"] });
    const edits = pending.filter(({ kind, change }) => kind === "record" && change.action !== "increment");
    if (edits.length === 0) return "nothing is under way";
    // Whether the server has it, nobody knows here.
    const sent = edits.filter(({ attempts }) => attempts > 0);
    const edit = draw.pick(sent.length > 0 ? sent : edits);
    await tab.client.operations.discard(edit as never, { reason: "thought better of it" });
    return edit.id;
  },
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

export const desks: readonly Command[] = [resolve, revise, again, thinkBetter, office, syncNow, pauseAndResume];
