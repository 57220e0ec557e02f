/** People who decide: at the till, and in the back office, which both may do at once. */
import type { ConflictOf } from "tillsync";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { Draw } from "../engine/draw.ts";
import { judgeRefusal } from "../invariants/bounded.ts";
import type { Listed } from "../machines/server.ts";
import type { Tab } from "../machines/tab.ts";
import { LIAR } from "../sim-shop.ts";
import { mislabelled } from "../versions.ts";
import type { SimWorld } from "../world.ts";
import type { Command } from "./command.ts";
import { type Desk, onDesk } from "./offices.ts";

type Json = Readonly<Record<string, unknown>>;
/** By the server, which says why: the schema does, or a counter has no room. */
const REFUSED = 400;
/** Of somebody at the office, at one conflict. */
const LONGEST_LOOK_MS = 4_000;
const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const isElse = (wanted: Json, there: Json | undefined) =>
  Object.entries(wanted).some(([name, value]) => !isSame(there?.[name], value));

/** What a desk must carry over: each field as it shall be, `undefined` where it shall be gone. */
type Wanted = Json;

/** The operation that took the other's place says all of it, but for what the server's row has already. */
function isCarried(
  successor: Pick<StoredOperation, "action" | "data" | "patch" | "unset">,
  wanted: Wanted,
  base: Json | undefined,
): boolean {
  const { action, data, patch = {}, unset = [] } = successor;
  if (action === "create") return !isElse(wanted, data);
  return Object.entries(wanted).every(
    ([name, value]) =>
      (base !== undefined && isSame(base[name], value)) ||
      (value === undefined ? unset.includes(name) : isSame(patch[name], value)),
  );
}

/** Runs the act of a person, and looks at what it has stored, unless the row moved on meanwhile. */
async function judged(
  tab: Tab,
  of: Subject,
  act: () => Promise<void>,
  wanted: Wanted,
  what: string,
  shown?: Json,
): Promise<void> {
  const { machine } = tab;
  const before = machine.row(of.collection, of.entityId);
  await act();
  const after = machine.row(of.collection, of.entityId);
  const successor = machine.operations().find(({ supersedes }) => supersedes?.includes(of.id));
  if (successor === undefined || before?.version !== after?.version || before?.generation !== after?.generation) return;
  // In a conflict a person decides on what the desk shows.
  const base = shown ?? machine.base(of.collection, of.entityId);
  if (!isCarried(successor, wanted, base))
    machine.world.violation(
      "S10",
      `${tab.name} ${what} of ${of.id}, and ${successor.id} (${JSON.stringify(successor.data ?? successor.patch)}) does not say all of it: ${JSON.stringify(wanted)} on ${JSON.stringify(base)}`,
    );
}

interface Subject {
  readonly id: string;
  readonly collection: string;
  readonly entityId: string;
}

/** A person who sends it again wants that now. */
function sendAgain({ client, machine }: Tab, id: string): Promise<void> {
  return client.operations.retry(id).finally(machine.line.hurry());
}

/** The text that people write when they agree. */
const nameIn = (collection: string) => (collection === "notes" ? "text" : "name");

export async function resolveAtTill(tab: Tab, draw: Draw): Promise<number> {
  const open = await tab.client.conflicts.list();
  const { machine } = tab;
  for (const conflict of open) {
    isReadable(tab, conflict);
    const choice = draw.pick(["client", "server", "merged"] as const);
    const merged = {
      [nameIn(conflict.collection)]: `Agreed ${draw.int(0, 9)}`,
      ...(conflict.collection === "customers" && draw.chance(0.3) && { note: undefined }),
    };
    const isDeleted = conflict.client === undefined || conflict.server === undefined;
    const one = conflict as ConflictOf<never, never>;
    const side = choice === "merged" && isDeleted ? "client" : choice;
    const resolve = () => tab.client.conflicts.resolve(one, side === "merged" ? ({ merged } as never) : side);
    if (side === "server" || isDeleted) {
      await resolve();
      continue;
    }
    // The edit as it was made, and not as the desk remembers it.
    const edit = machine.world.model.operations.get(conflict.id)?.operation;
    const own = edit?.action === "update" ? wantedBy(edit) : {};
    await judged(
      tab,
      conflict,
      resolve,
      side === "merged" ? merged : own,
      `chose "${side}" in the conflict`,
      conflict.server as Json | undefined,
    );
  }
  return open.length;
}

interface Shown {
  readonly id: string;
  readonly collection: string;
  readonly base: Json | undefined;
  readonly client: Json | undefined;
  readonly server: Json | undefined;
}

/** The desk shows the sides in the version of the app [H7]. */
function isReadable({ name, machine: { world } }: Tab, { id, collection, base, client, server }: Shown): void {
  for (const side of [base, client, server]) {
    const wrong = side && mislabelled(collection, side);
    if (wrong) world.violation("S16", `the desk of ${name} shows the conflict of ${id}: ${wrong}`);
  }
}

function wantedBy({ patch = {}, unset = [] }: StoredOperation): Wanted {
  return { ...patch, ...Object.fromEntries(unset.map((name) => [name, undefined])) };
}

/** Rejected edits are corrected, sent again, or given up; and in the end also what waits for a row that nobody brings back [C8.6]. */
export async function reviseAtTill(tab: Tab, draw: Draw, givesUp = false): Promise<number> {
  const rejected = await tab.client.operations.list({ state: "rejected" });
  for (const operation of rejected) {
    if (operation.kind === "fact") continue;
    const what = givesUp ? "discard" : draw.pick(["retry", "amend", "discard"] as const);
    if (what === "retry") await sendAgain(tab, operation.id);
    else if (what === "amend" && (operation.change.action === "create" || operation.change.action === "update")) {
      const patch = {
        [nameIn(operation.collection)]: `Corrected ${draw.int(0, 9)}`,
        ...(operation.collection === "customers" && draw.chance(0.3) && { note: undefined }),
      };
      const made = tab.machine.world.model.operations.get(operation.id)?.operation;
      const wanted = { ...(made?.action === "update" && wantedBy(made)), ...patch };
      const amend = () =>
        tab.client.operations.amend(operation as never, patch as never).catch((error: { readonly code?: string }) => {
          // An edit of an older app can be corrected like any other [H7].
          if (error.code === "validation_failed")
            tab.machine.world.violation("S16", `${tab.name} can't correct ${operation.id}: ${error}`);
          throw error;
        });
      await judged(tab, operation, amend, wanted, "corrected the edit");
    } else await tab.client.operations.discard(operation as never, { reason: "no longer wanted" });
  }
  if (givesUp)
    for (const { id, kind, missing } of tab.machine.operations())
      if (missing && kind === "record")
        await tab.client.operations.discard({ id } as never, { reason: "its row is gone" });
  return rejected.length;
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

/** Every page of a desk of the whole shop: what was on it before and is still on it afterwards must be among them. */
async function listAll(world: SimWorld, desk: Desk): Promise<readonly Listed[] | undefined> {
  const before = onDesk(world.server, desk);
  const { wasRestored } = world.server;
  const listed = await world.server.list(desk);
  if (listed === undefined || world.server.wasRestored !== wasRestored) return listed;
  const after = onDesk(world.server, desk);
  const ids = new Set(listed.map(({ id }) => id));
  if (ids.size !== listed.length) world.violation("S14", `the ${desk} desk lists one twice`);
  for (const id of before.keys())
    if (after.has(id) && !ids.has(id)) world.violation("S14", `the ${desk} desk does not list ${id}`);
  return listed;
}

export async function settleInOffice(world: SimWorld, draw: Draw): Promise<number> {
  const { server } = world;
  const listed = (await listAll(world, "conflicts")) ?? [];
  for (const { id, version } of listed) {
    // Meanwhile the till may settle it, too.
    if (draw.chance(0.5)) await world.timeline.wait(draw.int(0, LONGEST_LOOK_MS));
    const choice = draw.pick(["client", "server"] as const);
    const answer = await server.desk(`conflicts/${id}/resolve`, { choice, version });
    if (answer !== undefined && choice === "client") isWritten(world, id);
  }
  const kept = (await listAll(world, "quarantine")) ?? [];
  for (const { id, device } of kept) {
    // Whose it is stands there: what a liar has sent is not let in, and it may lie there for long.
    if (device === LIAR && draw.chance(0.7)) continue;
    if (device !== LIAR && draw.chance(0.8)) {
      const released = await server.desk(`quarantine/${id}/release`, {});
      if (released === undefined && server.deskStatus === REFUSED) judgeRefusal(world, id);
    } else await server.desk(`quarantine/${id}/discard`, { reason: "a mistake" });
  }
  return listed.length + kept.length;
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
    await sendAgain(tab, id);
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
  run: async ({ tab }) => {
    const done = tab.machine.line.hurry();
    return (await tab.client.sync().finally(done)).outcome;
  },
};
const pauseAndResume: Command = {
  kind: "pause",
  weight: 1,
  async run({ world, tab, draw }) {
    tab.client.pause("tea");
    await world.timeline.wait(draw.int(100, 20_000));
    tab.machine.line.hurry()();
    tab.client.resume("tea");
    return "resumed";
  },
};

export const desks: readonly Command[] = [resolve, revise, again, thinkBetter, office, syncNow, pauseAndResume];
