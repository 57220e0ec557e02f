/** Two shops, or two branches of one, with the same kinds of things in both; and what one of them looks like in the database. */
import * as z from "zod";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import type { Policies } from "../../../src/server/policy-types.ts";
import type { ServerStore } from "../../../src/server/ports/store.ts";
import { createSyncServer } from "../../../src/server/server.ts";
import { authenticate, HttpTill } from "../../server/support/http.ts";
import { uuid } from "../../server/support/world.ts";

export const collections = {
  tables: defineCollection({
    schema: z.object({ branch: z.string(), name: z.string(), covers: z.int().default(0) }),
    counters: ["covers"],
  }),
  tickets: defineCollection({
    kind: "fact",
    schema: z.object({ branch: z.string(), cents: z.int(), note: z.string(), tableId: z.string().optional() }),
    references: { tableId: "tables" },
  }),
};

const everyone = { read: "everyone", create: "everyone" } as const;
const policies: Policies<typeof collections> = {
  tables: {
    scope: { branch: (table) => table.branch },
    allow: { ...everyone, update: "everyone", delete: "everyone" },
  },
  tickets: { scope: { branch: (ticket) => ticket.branch }, allow: everyone },
};

/** Stands in everything of the victim's that is anybody's business, and nowhere else. */
export const SECRET = "for the south alone";
/** No row is newer. */
export const LATEST = 2 ** 52;

export type Distance = "tenants" | "branches";

export interface TestStore {
  readonly store: ServerStore;
  /** All rows of a tenant, by table. */
  rowsOf(tenant: string): Promise<Readonly<Record<string, readonly unknown[]>>>;
  close(): Promise<void>;
}

type Sketch = Readonly<Record<string, unknown>>;

/** A till whose ids are the same in every world, so that two worlds can be compared. */
export class WorldTill extends HttpTill {
  #minted = 0;
  readonly #number: number;

  constructor(server: Pick<HttpTill["server"], "handler">, device: string, token: string, number: number) {
    super(server, device, token);
    this.#number = number;
    this.incarnation = uuid(100 + number);
  }

  mint(sketch: Sketch): Sketch & { readonly id: string } {
    this.#minted += 1;
    const id = uuid(this.#number * 1_000 + this.#minted);
    return { id, sequence: this.#minted, schemaVersion: 1, occurredAt: "2026-11-20T08:00:00.000Z", ...sketch };
  }

  async send(...sketches: readonly Sketch[]): Promise<readonly Sketch[]> {
    const response = await this.pushRaw(sketches.map((sketch) => this.mint(sketch)));
    const body = await response.json();
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    this.marks = { ...this.marks, push: body.mark };
    return body.results;
  }
}

export interface Victim {
  readonly tenant: string;
  readonly till: WorldTill;
  readonly mark: string;
  readonly cursor: string;
  readonly tableId: string;
  readonly applied: string;
  /** Of its applied result. */
  readonly receipt: string;
  readonly transaction: string;
  readonly quarantined: string;
  readonly conflict: string;
  /** Of its desks' first pages. */
  readonly next: { readonly conflicts: string; readonly quarantine: string };
}

export interface SecurityWorld {
  readonly attacker: WorldTill;
  readonly victim: Victim;
  /** What the victim has in the database. */
  victims(): Promise<Readonly<Record<string, readonly unknown[]>>>;
}

const NOW = Date.UTC(2026, 10, 20, 8);

/** @param run makes the tenants new ones in a database that has had others */
export async function openWorld({ store, rowsOf }: TestStore, distance: Distance, run: string): Promise<SecurityWorld> {
  const server = createSyncServer({
    store,
    authenticate,
    collections,
    policies,
    clock: { now: () => NOW, sleep: never },
  });
  const own = `ours-${run}`;
  const tenant = distance === "tenants" ? `theirs-${run}` : own;
  const attacker = new WorldTill(server, "till-1", `${own}/till-1/north/sync:desk`, 1);
  const victim = await furnished(server, tenant);
  await attacker.register();
  await attacker.send(ours.table("t-1"));
  // With both marks: an answer then has the results of its own request alone.
  await attacker.pull("tables", "tickets");
  return { attacker, victim, victims: () => rowsOf(tenant) };
}

function never(): Promise<void> {
  return new Promise(() => {});
}

const tableOf = (entityId: string, branch: string, name: string) => ({
  collection: "tables",
  entityId,
  action: "create",
  data: { branch, name },
});
const ticketOf = (entityId: string, branch: string, note: string) => ({
  collection: "tickets",
  entityId,
  action: "create",
  data: { branch, cents: 700 as unknown, note },
});
/** Things of the attacker's own. */
export const ours = {
  table: (id: string) => tableOf(id, "north", "ours"),
  ticket: (id: string) => ticketOf(id, "north", "ours"),
  /** Is set aside, whoever sends it. */
  oddTicket: (id: string) => unreadable(ticketOf(id, "north", "ours")),
};
const theirs = {
  table: (id: string) => tableOf(id, "south", SECRET),
  ticket: (id: string) => ticketOf(id, "south", SECRET),
  oddTicket: (id: string) => unreadable(ticketOf(id, "south", SECRET)),
};
function unreadable(ticket: ReturnType<typeof ticketOf>) {
  return { ...ticket, data: { ...ticket.data, cents: "x" } };
}
const rename = (name: string, baseVersion: number) => ({
  collection: "tables",
  entityId: "t-9",
  action: "update",
  baseVersion,
  patch: { name },
});

async function furnished(server: Pick<HttpTill["server"], "handler">, tenant: string): Promise<Victim> {
  const [till, other] = [
    new WorldTill(server, "till-9", `${tenant}/till-9/south/sync:desk`, 9),
    new WorldTill(server, "till-8", `${tenant}/till-8/south`, 8),
  ];
  await till.register();
  await other.register();
  const transaction = "basket-9";
  const [applied] = await till.send(theirs.table("t-9"), theirs.ticket("k-9"));
  const [, aside] = await till.send(
    { ...theirs.ticket("k-7"), branch: "south", transaction },
    { ...theirs.oddTicket("k-8"), branch: "south", transaction },
  );
  await till.send(rename(`${SECRET} II`, (applied as { readonly version: number }).version));
  const [lost] = await other.send(rename(`${SECRET} III`, 0));
  await other.send(rename(`${SECRET} IV`, 0));
  const { mark } = await till.pull("tables", "tickets");
  const next = async (desk: string) => (await (await till.call("GET", `${desk}?limit=1`)).json()).next;
  return {
    tenant,
    till,
    mark,
    cursor: String(till.cursors.tables),
    tableId: "t-9",
    applied: String(applied?.id),
    receipt: String(applied?.status === "applied" && applied.receipt),
    transaction,
    quarantined: String(aside?.id),
    conflict: String(lost?.conflictId),
    next: { conflicts: await next("conflicts"), quarantine: await next("quarantine") },
  };
}
