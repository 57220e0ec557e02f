/**
 * S18: a liar changes nothing that its rights do not let it change, and nothing of it is unlisted (L9, L12). What it may do is modelled as
 * it is stored: its facts, its edits, and its steps on counters.
 */
import type { OperationResult } from "../../../src/protocol/types.ts";
import { isOpenQuarantine, type OperationRow } from "../../../src/server/ports/rows.ts";
import type { StoreWrites } from "../../../src/server/ports/store.ts";
import type { Liar, Told } from "../machines/liar.ts";
import { BRANCHES, CASHIER_MAY, LIAR, LIAR_ACTOR, LIAR_BRANCH, namedBranch, REFUSED_NAME } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";
import { factsTaken, takenIdOf } from "./taken.ts";

type Json = Readonly<Record<string, unknown>>;
type Sent = Pick<OperationRow, "device" | "collection" | "entityId" | "operation" | "status">;

const FACTS = ["sales", "payments", "refunds"];

export const isOfLiar = ({ device }: { readonly device: string }) => device === LIAR;

/** Facts that a liar has booked, and nobody else: a cashier's word, which nothing confirms. */
export function factsOfLiar(world: SimWorld): ReadonlySet<string> {
  if (world.liar === undefined) return new Set();
  const made = (world.server.rows().operations ?? []).filter(
    ({ collection, status, operation }) =>
      FACTS.includes(collection) && status === "applied" && operation?.action === "create",
  );
  const subjectOf = ({ collection, entityId }: Sent) => `${collection}/${entityId}`;
  const honest = new Set(made.filter((row) => !isOfLiar(row)).map(subjectOf));
  return new Set(
    made
      .filter(isOfLiar)
      .map(subjectOf)
      .filter((subject) => !honest.has(subject)),
  );
}

/** Whether its rights let it do that. */
export function mayLiar({ collection, operation }: Pick<Sent, "collection" | "operation">): boolean {
  const { action = "", force } = (operation ?? {}) as { readonly action?: string; readonly force?: boolean };
  return force !== true && CASHIER_MAY.has(`${collection} ${action}`);
}

/** The steps that it has made on counters which it may move, by row and counter. */
export function stepsOfLiar(world: SimWorld): ReadonlyMap<string, number> {
  const steps = new Map<string, number>();
  if (world.liar === undefined) return steps;
  for (const row of world.server.rows().operations ?? []) {
    const { operation, collection, entityId } = row;
    if (!isOfLiar(row) || row.status !== "applied" || operation?.action !== "increment" || !mayLiar(row)) continue;
    for (const [counter, step] of Object.entries(operation.by)) {
      const key = `${collection}/${entityId} ${counter}`;
      steps.set(key, (steps.get(key) ?? 0) + Number(step));
    }
  }
  return steps;
}

/** Each operation is answered; what is final is stored under its id, with who has sent it as the token says. */
export function judgeAnswered(liar: Liar, operations: readonly Told[], results: readonly OperationResult[]): void {
  const { world } = liar;
  const answered = new Map(results.map((result) => [result.id, result]));
  const rows = byId(liar.rows());
  for (const told of operations) {
    const result = answered.get(told.id);
    if (result === undefined) world.violation("S18", `${told.id} of ${LIAR} was not answered`);
    else judgeKept(world, rows, told, result);
  }
}

function judgeKept(
  world: SimWorld,
  rows: ReadonlyMap<string, OperationRow>,
  told: Told,
  result: OperationResult,
): void {
  if (result.status === "blocked" || result.status === "retry") return;
  const wrong = (what: string) =>
    world.violation("S18", `${told.id} of ${LIAR} was answered ${result.status}, and ${what}`);
  const row = rows.get(told.id);
  if (row === undefined) wrong("is not stored");
  else if (result.status === "rejected" && result.error.code === "operation_id_reused") {
    // Its payload is kept beside the one that has the id.
    const kept = [...rows.values()].some(
      (one) => isOfLiar(one) && one.id !== told.id && codeOf(one.result) !== undefined && isSame(one.operation, told),
    );
    if (!kept) wrong("its payload is nowhere");
  } else if (!isOfLiar(row)) {
    if (result.replayed !== true) wrong(`stored as that of ${row.device}`);
  } else if (row.revision === 0 && row.status !== result.status) wrong(`stored as ${row.status}`);
}

/** What one delivery of a payload may have, and another one not (docs/protocol.md): it is kept as it came first. */
const OF_DELIVERY = ["sequence", "after", "acknowledged", "force"];

/** Of a payload that is kept as text only its id can be compared. */
function isSame(kept: unknown, told: Told): boolean {
  const { raw, ...rest } = (kept ?? {}) as Json;
  return raw !== undefined ? rest.id === told.id : payloadOf(rest) === payloadOf(told);
}

function payloadOf(operation: Json): string {
  const members = Object.entries(operation).filter(([name]) => !OF_DELIVERY.includes(name));
  return JSON.stringify(Object.fromEntries(members), sorted);
}

const sorted = (_: string, value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

const codeOf = (result: object) => ("error" in result ? (result.error as { readonly code: string }).code : undefined);
const byId = ({ operations = [] }: StoreWrites) => new Map(operations.map((row) => [row.id, row]));

/** Bytes that a push of one small operation may lead to, because rows are kept with results. */
const STORED_BYTES = 64 * 1024;
/** The payload, what is kept with it, and copies of rows in proportion to it. */
const STORED_PER_BYTE = 8;
/** A named id that nobody has seen becomes a row. */
const STORED_PER_ID = 1_000;

/** What is stored because of a push is in proportion to it. */
export function judgeStoredBytes(liar: Liar, operations: readonly Told[], sentBytes: number): void {
  const ids = new Set(operations.map(({ id }) => id));
  const { operations: rows = [], conflicts = [] } = liar.rows();
  const own = rows.filter((row) => isOfLiar(row) && (ids.has(row.id) || ids.has(row.supersededBy ?? "")));
  const kept = [...own, ...conflicts.filter(({ operationId }) => ids.has(operationId))];
  const stored = kept.reduce((sum, row) => sum + JSON.stringify(row).length, 0);
  const named = operations.reduce(
    (sum, { supersedes }) => sum + (Array.isArray(supersedes) ? supersedes.length : 0),
    0,
  );
  const most = STORED_BYTES + STORED_PER_BYTE * sentBytes + STORED_PER_ID * named;
  if (stored > most)
    liar.world.violation(
      "S18",
      `${sentBytes} bytes of ${LIAR} became ${stored}, and at most ${most} are in proportion`,
    );
}

/** What an honest till is told: that nothing of a liar stands in the place of its operations. */
export function judgeTold({ world, made }: Liar, name: string, answer: string): void {
  const { results = [] } = JSON.parse(answer) as { readonly results?: readonly { id: string; by?: unknown }[] };
  for (const { id, by } of results)
    if (typeof by === "string" && made.has(by))
      world.violation("S18", `${name} was told that ${LIAR} has replaced ${id}`);
}

const FOREIGN_BRANCHES = BRANCHES.filter((branch) => branch !== LIAR_BRANCH).map((branch) => `"branch":"${branch}"`);

/** It sees its branch: no row of a seat elsewhere. */
export function judgeShown({ world }: Liar, path: string, answer: string): void {
  const stray = FOREIGN_BRANCHES.find((text) => answer.includes(text));
  if (stray !== undefined) world.violation("S18", `${LIAR} was shown ${stray} in the answer to a ${path}`);
}

/** Only a restore brings another epoch: it may be announced, noticed by a mark, and known by each epoch that was lost. */
export function judgeEpochs(world: SimWorld, { epochs = [] }: StoreWrites, most: number): void {
  const minted = epochs.filter(({ start }) => start > 0).length;
  if (minted > most)
    world.violation("S18", `${minted} epochs have begun, and what was restored explains ${most}: ${LIAR} is there`);
}

export const lies: Invariant = {
  name: "S18",
  async check(world) {
    const { liar, server } = world;
    if (liar === undefined) return;
    const rows = server.rows();
    const operations = rows.operations ?? [];
    liar.judgeEpochs(rows);
    for (const row of operations.filter(isOfLiar)) judgeOwn(world, liar, row);
    const stored = byId(rows);
    const taken = factsTaken(world);
    for (const row of operations.filter((one) => !isOfLiar(one))) judgeOthers(world, row, stored, taken);
    judgeRows(world, liar, rows);
    for (const { told, result, restores } of liar.kept.values())
      if (restores === server.restores) judgeKept(world, stored, told, result);
    await judgeDesks(world, operations.filter(isOfLiar).filter(isOpenQuarantine));
  },
};

/** One that it has sent: with who it is, and without effect unless it may have one. */
function judgeOwn(world: SimWorld, liar: Liar, row: OperationRow): void {
  const { id, sentBy, sentFrom, collection, status } = row;
  const wrong = (what: string) => world.violation("S18", `${id} of ${LIAR} ${what}`);
  if (sentBy !== LIAR_ACTOR || sentFrom !== LIAR_BRANCH) wrong(`is stored as sent by ${sentBy} from ${sentFrom}`);
  if (status !== "applied") return;
  const operation = (row.operation ?? {}) as Json & { readonly data?: Json; readonly patch?: Json };
  const { action, branch = LIAR_BRANCH, data, patch } = operation;
  const what = `${action} ${collection}/${row.entityId}`;
  if (liar.heard.operations.has(id) && !liar.took.has(id)) wrong(`took effect (${what}), and is another till's`);
  if (action !== "void" && !mayLiar(row)) wrong(`took effect (${what}), and its sender may not do that`);
  if (branch !== LIAR_BRANCH) wrong(`took effect (${what}) in ${branch}`);
  judgeBase(world, row);
  if (data?.doubtful === true) wrong(`took effect (${what}), though people should look at it`);
  if ((data ?? patch)?.name === REFUSED_NAME) wrong(`took effect (${what}), which the policy refuses`);
  const { assigned } = row.result as { readonly assigned?: Json };
  if (assigned?.orderNumber !== undefined && assigned.orderNumber !== `N-${id.slice(-8)}`)
    wrong(`was given the number ${assigned.orderNumber}`);
}

/**
 * What an edit writes has a greater version than whatever was given out before, by this history or by one that is lost [C5]. What comes back
 * after a restore is judged by what it was answered, and not by its base [C8.5].
 */
function judgeBase(world: SimWorld, { id, version, operation, collection, entityId }: OperationRow): void {
  const { baseVersion = 0, acknowledged } = (operation ?? {}) as Json & { readonly baseVersion?: number };
  if (acknowledged === undefined && version > 0 && baseVersion > version)
    world.violation("S18", `${id} of ${LIAR} has written ${collection}/${entityId} on a base that was never given out`);
}

/** Why a fact of an honest till waits for people, where the fact itself is no reason. */
const LIED_AWAY = ["id_collision", "operation_id_reused", "malformed", "not_permitted", "validation_failed"];

/** One of an honest till: no lie has closed it or taken its place, and it is set aside for an id only where a liar had that first. */
function judgeOthers(
  world: SimWorld,
  row: OperationRow,
  rows: ReadonlyMap<string, OperationRow>,
  taken: ReadonlySet<string>,
): void {
  const { id, collection, entityId, supersededBy, status, result } = row;
  const by = supersededBy === undefined ? undefined : rows.get(supersededBy);
  const what = `${id} (${row.operation?.action} ${collection}/${entityId})`;
  if (by && isOfLiar(by)) world.violation("S18", `${what} was replaced by ${by.id} of ${LIAR}`);
  const code = codeOf(result) ?? "";
  const isTaken =
    (code === "id_collision" && taken.has(`${collection}/${entityId}`)) ||
    (code === "operation_id_reused" && takenIdOf(row, rows) !== undefined);
  if (status === "quarantined" && LIED_AWAY.includes(code) && !isTaken)
    world.violation("S18", `${what} of ${row.device} is quarantined: ${code}`);
}

/** No field that it may not write bears its name. */
function judgeRows(world: SimWorld, { incarnations }: Liar, { records = [] }: StoreWrites): void {
  const own = new Set(incarnations);
  for (const { collection, id, fields, data } of records) {
    const written = Object.entries(fields).filter(([, [, writer]]) => own.has(writer));
    if (written.length > 0 && !CASHIER_MAY.has(`${collection} update`))
      world.violation("S18", `${LIAR} has written ${written.map(([name]) => name)} of ${collection}/${id}`);
    if (collection === "sales" && data.orderNumber === "N-FORGED")
      world.violation("S18", `sales/${id} has a number that ${LIAR} made up`);
  }
}

/** What it has in quarantine is on the desk of the whole shop, and on that of the branch that it names, or is of. */
async function judgeDesks(world: SimWorld, open: readonly OperationRow[]): Promise<void> {
  const { server, timeline } = world;
  for (const branch of [undefined, ...BRANCHES]) {
    const listed = await timeline.during(server.list("quarantine", branch));
    const ids = new Set(listed?.map(({ id }) => id));
    for (const { id, operation } of open) {
      const of = namedBranch(operation) ?? LIAR_BRANCH;
      if ((branch === undefined || branch === of) && !ids.has(id))
        world.violation("S18", `${id} of ${LIAR} is quarantined, and not on the desk of ${branch ?? "the shop"}`);
    }
  }
}
