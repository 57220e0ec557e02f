/** S4: every tab of every till shows what the server has (L5). */
import type { RecordRow } from "../../../src/server/ports/rows.ts";
import type { Machine } from "../machines/machine.ts";
import type { Tab } from "../machines/tab.ts";
import { NEWEST, shopOf } from "../versions.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";
import { factsHidden } from "./taken.ts";

type Json = Readonly<Record<string, unknown>>;

export async function differences(world: SimWorld): Promise<readonly string[]> {
  const rows = (world.server.rows().records ?? []).filter(({ state }) => state === "live");
  const found: string[] = [];
  const hidden = factsHidden(world);
  for (const name of Object.keys(shopOf(world.plan.options.versions ? NEWEST : 1))) {
    for (const machine of world.machines) {
      if (world.server.revoked.has(machine.deviceId)) continue; // it is told nothing more [H6]
      const aside = setAside(machine);
      const isHidden = (subject: string) => hidden.has(subject) && aside.has(subject);
      const isSeen = ({ collection, id, scope }: RecordRow) =>
        collection === name &&
        !isHidden(`${collection}/${id}`) &&
        (machine.branch === undefined || scope === "" || scope === machine.branch);
      const expected = new Map(rows.filter(isSeen).map((row) => [row.id, shown(row)]));
      for (const tab of machine.tabs)
        for (const what of await differencesOf(tab, name, expected, aside)) found.push(`${tab.name} ${name}/${what}`);
    }
  }
  return found;
}

async function differencesOf(
  { client, ended }: Tab,
  name: string,
  expected: ReadonlyMap<string, string>,
  aside: ReadonlySet<string>,
): Promise<readonly string[]> {
  try {
    const answer = (client.collections as Json as Record<string, Finder>)[name]!.find();
    const seen = await Promise.race([answer, ended.then(() => Promise.reject(new Error("it went down")))]);
    const got = new Map(seen.map((row) => [row.id, canonical(row)]));
    const missing = [...expected].filter(([id, text]) => got.get(id) !== text);
    const stray = [...got.keys()].filter((id) => !expected.has(id) && !aside.has(`${name}/${id}`));
    return [
      ...missing.map(([id, text]) => `${id} is ${got.get(id)}, and ${text} on the server`),
      ...stray.map((id) => `${id} is not on the server`),
    ];
  } catch (error) {
    // Its disk may still be silent: it must have come back by the end.
    return [`can't be read: ${(error as Error).message}`];
  }
}

/** A fact stays in sight of the till that made it, whatever became of it: its receipt is printed (L11). */
function setAside(machine: Machine): ReadonlySet<string> {
  const facts = machine
    .operations()
    .filter(({ kind, state }) => kind === "fact" && /^(quarantined|rejected)$/.test(state));
  return new Set(facts.map(({ collection, entityId }) => `${collection}/${entityId}`));
}

interface Finder {
  find(): Promise<readonly (Json & { readonly id: string })[]>;
}

/** What nobody has counted yet is nothing. */
const ZEROS: Readonly<Record<string, Json>> = {
  products: { stock: 0, returned: 0 },
  customers: { points: 0, visits: 0 },
};

const shown = (row: RecordRow) => canonical({ id: row.id, ...ZEROS[row.collection], ...row.data, ...row.counters });

function canonical(value: Json): string {
  const names = Object.keys(value).sort();
  return JSON.stringify(names.filter((name) => value[name] !== undefined).map((name) => [name, value[name]]));
}

export const converged: Invariant = {
  name: "S4",
  async check(world) {
    for (const difference of await differences(world)) world.violation("S4", difference);
  },
};
