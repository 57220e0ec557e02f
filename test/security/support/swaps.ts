/**
 * What happens when one member of an honest request is another shop's, or another branch's. One entry for each member that the protocol's
 * requests have: see `swaps.test.ts`, which fails for a member that is not here.
 */
import { uuid } from "../../server/support/world.ts";
import { type Distance, LATEST, ours, type Victim, type WorldTill } from "./world.ts";

export interface Expected {
  readonly status: number;
  readonly body?: object;
  /** What became of the operation that was sent. */
  readonly result?: object;
  /** A made-up value is answered in another way: who knows the id learns that there is such a thing. */
  readonly tells?: true;
  /** Of the victim's rows this table changes: counters count whoever counts. */
  readonly reaches?: string;
}

export interface Swap {
  /** Where one member has several meanings. */
  readonly as?: string;
  readonly value: (victim: Victim) => string;
  /** Of the same form, and nobody's. */
  readonly madeUp: string;
  readonly send: (attacker: WorldTill, value: string, victim: Victim) => Promise<Response>;
  readonly tenants: Expected;
  /** Absent: of a tenant, and not of a branch. */
  readonly branches?: Expected;
}

const refused = (status: number, code: string): Expected => ({ status, body: { code } });
const result = (one: object): Expected => ({ status: 200, result: one });
const applied = result({ status: "applied" });
const outOfScope = result({ status: "rejected", error: { code: "out_of_scope" } });
const mismatch = refused(403, "device_mismatch");
const NOBODYS_TOKEN = "WzEsMSwieCJd.00000000000000000000000000000000";
const NOBODYS_RECEIPT = "00000000000000000000000000000000";
const NOBODYS_EPOCH = "1.00000000.0123456789abcdef.00000000000000000000000000000000";

/** A request's body with one member changed: `a.b` or `operations[].b[]`, of the first element. */
function changed<T>(body: T, path: string, value: unknown): T {
  const copy = structuredClone(body);
  const steps = path.replaceAll("[]", ".0").split(".");
  const last = steps.pop() ?? "";
  // biome-ignore lint/suspicious/noExplicitAny: whatever a request is made of
  let holder: any = copy;
  for (const [index, step] of steps.entries()) {
    holder[step] ??= /^\d+$/.test(steps[index + 1] ?? last) ? [] : {};
    holder = holder[step];
  }
  holder[last] = value;
  return copy;
}

const bodies: Readonly<Record<string, (attacker: WorldTill) => object>> = {
  register: ({ frame }) => ({ device: frame.device, schemaVersion: 1, epoch: frame.epoch, marks: {} }),
  push: (attacker) => ({ ...attacker.frame, operations: [attacker.mint(ours.table("t-2"))] }),
  pull: ({ frame }) => ({ ...frame, schemaVersion: 1, collections: { tables: null, tickets: null } }),
};

const inBody =
  (path: string, member: string): Swap["send"] =>
  (attacker, value) =>
    attacker.call("POST", path, changed(bodies[path]?.(attacker) ?? {}, member, value));

/** One operation, with one member changed. */
const inOperation =
  (sketch: object, member: string): Swap["send"] =>
  (attacker, value) =>
    attacker.pushRaw([changed(attacker.mint(sketch as Record<string, unknown>), member, value)]);

const device = { value: ({ till }: Victim) => till.device, madeUp: "till-0", tenants: mismatch, branches: mismatch };
const incarnation = { value: ({ till }: Victim) => till.incarnation, madeUp: uuid(555), tenants: { status: 200 } };
const mark = { value: (victim: Victim) => victim.mark, madeUp: NOBODYS_TOKEN, tenants: { status: 200 } };
const epoch = {
  value: ({ till }: Victim) => till.epoch,
  madeUp: NOBODYS_EPOCH,
  tenants: refused(403, "wrong_workspace"),
};

/** Device, epoch and marks, which each request has that is about a device's own work. Epochs and marks are the tenant's. */
function frame(path: "register" | "push" | "pull"): Readonly<Record<string, readonly Swap[]>> {
  const at = (member: string) => ({ send: inBody(path, member) });
  // Two stores under one incarnation are told apart by their sequence numbers [C7].
  const forked: Expected = path === "push" ? { ...refused(409, "identity_fork"), tells: true } : { status: 200 };
  return {
    [`POST ${path} device.id`]: [{ ...device, ...at("device.id") }],
    [`POST ${path} device.incarnation`]: [{ ...incarnation, branches: forked, ...at("device.incarnation") }],
    [`POST ${path} epoch`]: [{ ...epoch, ...at("epoch") }],
    [`POST ${path} marks.push`]: [{ ...mark, ...at("marks.push") }],
    [`POST ${path} marks.pull`]: [{ ...mark, ...at("marks.pull") }],
  };
}

const edit = (action: string, more: object) => ({ collection: "tables", entityId: "t-1", action, ...more });

/** Opens, closes and lets in what lies on a desk. */
function onDesk(path: string, value: Swap["value"], body: object | undefined): readonly Swap[] {
  const nothing = refused(404, "not_found");
  const send: Swap["send"] = (attacker, id) => attacker.call("POST", path.replace("*", id), body);
  return [{ value, madeUp: uuid(777), send, tenants: nothing, branches: nothing }];
}

function ofList(desk: "conflicts" | "quarantine"): readonly Swap[] {
  const empty: Expected = { status: 200, body: { [desk === "conflicts" ? "conflicts" : "quarantined"]: [] } };
  const send: Swap["send"] = (attacker, after) => attacker.call("GET", `${desk}?limit=1&after=${after}`);
  return [{ value: ({ next }) => next[desk], madeUp: "1", send, tenants: empty, branches: empty }];
}

export const swaps: Readonly<Record<string, readonly Swap[]>> = {
  ...frame("register"),
  ...frame("push"),
  ...frame("pull"),

  "POST pull device.id": [
    { ...device, send: inBody("pull", "device.id") },
    {
      as: "with a token that names no device, which is believed",
      value: ({ till }) => till.device,
      madeUp: "till-0",
      send: (attacker, value) => {
        attacker.token = attacker.token.replace("/till-1/", "//");
        attacker.device = value;
        attacker.marks = {};
        return attacker.call("POST", "pull", bodies.pull?.(attacker));
      },
      tenants: { status: 200, body: { results: [] } },
      // What became of its operations, without their rows.
      branches: { status: 200, result: { status: "applied" }, tells: true },
    },
  ],

  "header tillsync-device": [
    {
      ...device,
      send: (attacker, value) => attacker.call("POST", "push", bodies.push?.(attacker), { "tillsync-device": value }),
    },
  ],

  "POST push operations[].id": [
    {
      value: (victim) => victim.applied,
      madeUp: uuid(555),
      send: inOperation(ours.table("t-2"), "id"),
      tenants: applied,
      branches: { ...result({ status: "rejected", error: { code: "operation_id_reused" } }), tells: true },
    },
  ],
  "POST push operations[].sequence": [
    {
      as: "in the victim's incarnation",
      value: ({ till }) => till.incarnation,
      madeUp: uuid(555),
      send: (attacker, value) => {
        const { device } = attacker.frame;
        const operations = [{ ...attacker.mint(ours.table("t-2")), sequence: 1 }];
        return attacker.call("POST", "push", {
          ...attacker.frame,
          device: { ...device, incarnation: value },
          operations,
        });
      },
      tenants: applied,
      branches: { ...refused(409, "identity_fork"), tells: true },
    },
  ],
  "POST push operations[].entityId": [
    {
      as: "an update",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(edit("update", { baseVersion: LATEST, patch: { name: "ours" } }), "entityId"),
      tenants: outOfScope,
      branches: outOfScope,
    },
    {
      as: "an update that moves it here",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(edit("update", { baseVersion: LATEST, patch: { branch: "north" } }), "entityId"),
      tenants: outOfScope,
      branches: outOfScope,
    },
    {
      as: "a deletion",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(edit("delete", { baseVersion: LATEST }), "entityId"),
      tenants: outOfScope,
      branches: outOfScope,
    },
    {
      as: "a creation",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(ours.table("t-1"), "entityId"),
      tenants: applied,
      branches: { ...outOfScope, tells: true },
    },
    {
      as: "a step of a counter",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(edit("increment", { by: { covers: 3 } }), "entityId"),
      tenants: result({ status: "applied", flags: [{ code: "unknown_row" }] }),
      branches: {
        ...result({ status: "applied", flags: [{ code: "out_of_scope" }] }),
        tells: true,
        reaches: "records",
      },
    },
    {
      as: "a fact",
      value: () => "k-9",
      madeUp: "k-0",
      send: inOperation(ours.ticket("k-1"), "entityId"),
      tenants: applied,
      branches: { ...result({ status: "quarantined", error: { code: "id_collision" } }), tells: true },
    },
  ],
  "POST push operations[].transaction": [
    {
      value: (victim) => victim.transaction,
      madeUp: "basket-0",
      send: async (attacker, value) => {
        const joined = { transaction: value, branch: "north" };
        const odd = { ...ours.oddTicket("k-2"), ...joined };
        const [aside] = await attacker.send(odd);
        return attacker.call("POST", `quarantine/${aside?.id}/discard`, { reason: "ours" });
      },
      tenants: result({ status: "quarantined" }),
      branches: result({ status: "quarantined" }),
    },
  ],
  "POST push operations[].after[]": [
    {
      value: (victim) => victim.applied,
      madeUp: uuid(555),
      send: inOperation(ours.table("t-2"), "after[]"),
      tenants: result({ status: "blocked" }),
      branches: { ...applied, tells: true },
    },
  ],
  "POST push operations[].supersedes[]": [
    {
      as: "a void of what is set aside",
      value: (victim) => victim.quarantined,
      madeUp: uuid(555),
      send: inOperation({ collection: "tickets", entityId: "k-8", action: "void" }, "supersedes[]"),
      tenants: applied,
      branches: { ...outOfScope, tells: true },
    },
    {
      as: "a settlement of a conflict",
      value: (victim) => victim.conflict,
      madeUp: uuid(555),
      send: inOperation(
        edit("update", { entityId: "t-9", baseVersion: LATEST, patch: { name: "ours" } }),
        "supersedes[]",
      ),
      tenants: outOfScope,
      branches: { ...outOfScope, tells: true },
    },
  ],
  "POST push operations[].branch": [
    {
      value: () => "south",
      madeUp: "nowhere",
      send: inOperation(ours.ticket("k-2"), "branch"),
      tenants: result({ status: "quarantined", error: { code: "branch_mismatch" } }),
      branches: result({ status: "quarantined", error: { code: "branch_mismatch" } }),
    },
  ],
  "POST push operations[].acknowledged.epoch": [
    {
      value: ({ till }) => till.epoch,
      madeUp: NOBODYS_EPOCH,
      send: (attacker, epoch, victim) =>
        attacker.pushRaw([
          {
            ...attacker.mint(edit("update", { entityId: victim.tableId, baseVersion: 0, patch: { name: "ours" } })),
            acknowledged: { epoch, version: LATEST },
          },
        ]),
      tenants: outOfScope,
      branches: outOfScope,
    },
  ],
  "POST push operations[].acknowledged.receipt": [
    {
      value: (victim) => victim.receipt,
      madeUp: NOBODYS_RECEIPT,
      send: (attacker, receipt, victim) =>
        attacker.pushRaw([
          {
            ...attacker.mint(edit("update", { entityId: victim.tableId, baseVersion: 0, patch: { name: "ours" } })),
            acknowledged: { epoch: victim.till.epoch, version: LATEST, receipt },
          },
        ]),
      tenants: outOfScope,
      branches: outOfScope,
    },
  ],
  "POST push operations[].data": [
    {
      as: "its branch",
      value: () => "south",
      madeUp: "nowhere",
      send: inOperation(ours.table("t-2"), "data.branch"),
      tenants: outOfScope,
      branches: outOfScope,
    },
    {
      as: "a reference",
      value: (victim) => victim.tableId,
      madeUp: "t-0",
      send: inOperation(ours.ticket("k-2"), "data.tableId"),
      tenants: result({ status: "applied", flags: [{ code: "unresolved_reference" }] }),
      branches: { ...applied, tells: true },
    },
  ],

  "POST pull collections": [
    {
      value: (victim) => victim.cursor,
      madeUp: NOBODYS_TOKEN,
      send: inBody("pull", "collections.tables"),
      tenants: { status: 409, body: { code: "resync_required", collections: ["tables"] } },
      branches: { status: 409, body: { code: "resync_required", collections: ["tables"] } },
    },
  ],

  "GET conflicts after": ofList("conflicts"),
  "GET quarantine after": ofList("quarantine"),
  "POST conflicts/*/resolve *": onDesk("conflicts/*/resolve", ({ conflict }) => conflict, { choice: "client" }),
  "POST quarantine/*/release *": onDesk("quarantine/*/release", ({ quarantined }) => quarantined, undefined),
  "POST quarantine/*/discard *": onDesk("quarantine/*/discard", ({ quarantined }) => quarantined, { reason: "ours" }),
};

/** Members that name nothing of anybody's: numbers, moments, words, and the shop's own data, which the entries above look into. */
export const nobodys: readonly string[] = [
  ...["header tillsync-protocol", "header tillsync-request-id", "header tillsync-server-time"],
  ...["name", "os", "appVersion"].map((label) => `POST register device.${label}`),
  ...[
    "register schemaVersion",
    "register firstSequence",
    "pull schemaVersion",
    "pull schemaVersions",
    "pull limit",
    "pull limitBytes",
    "push limitBytes",
  ].map((member) => `POST ${member}`),
  ...[
    "action",
    "collection",
    "schemaVersion",
    "actor",
    "occurredAt",
    "baseVersion",
    "patch",
    "unset[]",
    "force",
    "by",
  ].map((member) => `POST push operations[].${member}`),
  ...["acknowledged.version", "acknowledged.assigned", "acknowledged.schemaVersion"].map(
    (member) => `POST push operations[].${member}`,
  ),
  ...["choice", "data", "note", "version"].map((member) => `POST conflicts/*/resolve ${member}`),
  "POST quarantine/*/discard reason",
  ...["conflicts", "quarantine"].flatMap((desk) => [`GET ${desk} state`, `GET ${desk} limit`]),
];

/** An answer as two worlds can compare it: without what is made anew each time, and without the value that was asked for. */
export function comparable(text: string, value: string): string {
  return text
    .replaceAll(value, "(value)")
    .replaceAll(/"(mark|epoch|cursor|tenant|lastId|receipt)":"[^"]*"/g, '"$1":"(opaque)"')
    .replaceAll(/\d{13,}/g, "(number)");
}

export const distances: readonly Distance[] = ["tenants", "branches"];
