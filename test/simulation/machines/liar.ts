/**
 * A till whose token is real, and that lies in everything else. It speaks to the server directly, has the rights of a cashier in one branch,
 * and nobody waits for its work. What it says is in `lies`; here is how it says it, and what it remembers of it.
 */
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { OperationResult, WireOperation } from "../../../src/protocol/types.ts";
import type { OperationRow } from "../../../src/server/ports/rows.ts";
import type { StoreWrites } from "../../../src/server/ports/store.ts";
import { uuidV7 } from "../../../src/shared/random.ts";
import { Draw } from "../engine/draw.ts";
import { judgeAnswered, judgeEpochs, judgeShown, judgeStoredBytes } from "../invariants/lies.ts";
import { isRevoked, judgeServed } from "../invariants/revoked.ts";
import { lieOf } from "../lies/index.ts";
import type { PlannedLie } from "../plan.ts";
import { LIAR, LIAR_BRANCH } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import { Overheard } from "./overheard.ts";

/** An operation as it is sent: with whatever it likes. */
export type Told = Readonly<Record<string, unknown>> & { readonly id: string };
type Json = Readonly<Record<string, unknown>>;

export interface Answered {
  readonly status: number;
  readonly code?: string | undefined;
  readonly body: Json;
}

/** An operation that the server has answered. */
export interface Kept {
  readonly told: Told;
  readonly result: OperationResult;
  /** Of the database: see Server.restores. */
  readonly restores: number;
}

const FOLLOWS = 3;

export class Liar {
  readonly world: SimWorld;
  readonly heard = new Overheard();
  /** By operation id: the last answer with a final result. */
  readonly kept = new Map<string, Kept>();
  /** Ids of its own. */
  readonly made = new Set<string>();
  /** Ids of others that it has used before they had arrived. */
  readonly took = new Set<string>();
  /** Own results that it was given a receipt for. */
  readonly own = new Overheard();
  /** How often it has lied, by kind. */
  readonly told: Record<string, number> = {};
  /** The incarnations that are its own; it may claim others. */
  readonly incarnations: string[] = [];
  epoch: string | undefined;
  readonly #draw: Draw;
  readonly #sequences = new Map<string, number>();
  #requests = 0;
  /** Every epoch that there was before a restore. */
  readonly #epochs = new Set<string>();
  /** How many may have begun by now. */
  #mayBegin = 1;

  constructor(world: SimWorld) {
    this.world = world;
    this.#draw = new Draw(world.plan.seed, "liar");
  }

  async tell({ kind, draw }: PlannedLie): Promise<void> {
    const { world } = this;
    if (world.isHealing) return;
    const dice = new Draw(draw, kind);
    world.trace.say(LIAR, kind);
    try {
      if (this.epoch === undefined) await this.register();
      const said = await lieOf(kind).tell(this, dice);
      if (said !== undefined) this.told[kind] = (this.told[kind] ?? 0) + 1;
      world.trace.say(LIAR, `${kind}: ${said ?? "there was no occasion"}`);
    } catch (error) {
      // The server is down, or its database was put back meanwhile.
      if (!(error instanceof TypeError && /^Connection/.test(error.message))) throw error;
      world.trace.say(LIAR, `${kind}: ${error.message}`);
    }
  }

  /** The database is put back. */
  loses(before: StoreWrites, after: StoreWrites | undefined): void {
    this.judgeEpochs(before);
    for (const { epoch } of before.epochs ?? []) this.#epochs.add(epoch);
    const kept = after?.epochs ?? [];
    const lost = [...this.#epochs].filter((epoch) => !kept.some((one) => one.epoch === epoch)).length;
    this.#mayBegin = kept.filter(({ start }) => start > 0).length + 2 + lost;
  }

  judgeEpochs(rows: StoreWrites): void {
    judgeEpochs(this.world, rows, this.#mayBegin);
  }

  uuid(): string {
    return uuidV7(
      this.world.server.now(),
      Uint8Array.from({ length: 10 }, () => this.#draw.int(0, 255)),
    );
  }

  incarnation(): string {
    if (this.incarnations.length === 0) this.incarnations.push(this.uuid());
    return this.incarnations.at(-1) as string;
  }

  /** From now on it is another store. */
  anotherIncarnation(): string {
    this.incarnations.push(this.uuid());
    return this.incarnation();
  }

  /** The next number of its store, as an honest till counts. */
  sequence(incarnation = this.incarnation()): number {
    const next = (this.#sequences.get(incarnation) ?? 0) + 1;
    this.#sequences.set(incarnation, next);
    return next;
  }

  /** An operation that is as it should be, but for what is given. */
  operation(sketch: Json): Told {
    const id = this.uuid();
    this.made.add(id);
    return {
      id,
      sequence: sketch.sequence ?? this.sequence(),
      schemaVersion: 1,
      branch: LIAR_BRANCH,
      actor: "u-liar",
      occurredAt: new Date(this.world.server.now()).toISOString(),
      ...sketch,
    };
  }

  /** It goes on with the token that it has. */
  get isRevoked(): boolean {
    return isRevoked(this.world, LIAR);
  }

  /** What the server has now. */
  rows() {
    return this.world.server.rows();
  }

  /** Operations of others that are on the server. */
  others(isWanted: (row: OperationRow) => boolean = () => true): readonly OperationRow[] {
    return (this.rows().operations ?? []).filter((row) => row.device !== LIAR && row.hash !== "" && isWanted(row));
  }

  /** Operations of others that are not on the server: in the worst case it knows their ids all the same. */
  unseen(): readonly StoredOperation[] {
    const there = this.world.server.arrived();
    return [...this.world.model.operations.values()].flatMap(({ operation }) =>
      there.has(operation.id) ? [] : operation,
    );
  }

  /** What another one has sent, of what is on the server now. */
  heardOf(isWanted: (operation: WireOperation) => boolean = () => true): readonly WireOperation[] {
    const there = new Set(this.others().map(({ id }) => id));
    return [...this.heard.operations.values()].filter((operation) => there.has(operation.id) && isWanted(operation));
  }

  /** Members of the frame can be forged too. */
  async push(operations: readonly Told[], frame: Json = {}): Promise<Answered> {
    const { server } = this.world;
    const { restores } = server;
    let answered = await this.#push(operations, frame);
    for (let left = FOLLOWS; left > 0 && answered.code === "resync_required" && frame.epoch === undefined; left--) {
      // What it has said of others was said of what is lost now.
      if (restores !== server.restores) break;
      answered = await this.#push(operations, frame);
    }
    return answered;
  }

  async #push(operations: readonly Told[], frame: Json): Promise<Answered> {
    const { server } = this.world;
    const device = { id: LIAR, incarnation: this.incarnation() };
    const text = JSON.stringify({ device, epoch: this.epoch ?? "none", operations, ...frame });
    const { restores } = server;
    const answered = await this.post("push", text);
    if (answered.status !== 200 || restores !== server.restores) return answered;
    const { results = [] } = answered.body as { readonly results?: readonly OperationResult[] };
    judgeAnswered(this, operations, results);
    judgeStoredBytes(this, operations, text.length);
    const byId = new Map(operations.map((one) => [one.id, one]));
    for (const result of results) {
      const told = byId.get(result.id);
      if (told && result.status !== "blocked" && result.status !== "retry")
        this.kept.set(result.id, { told, result, restores });
    }
    this.own.note({ operations: operations as unknown as readonly WireOperation[] }, answered.body);
    return answered;
  }

  async pull(collections: Readonly<Record<string, string | null>>, frame: Json = {}): Promise<Answered> {
    const device = { id: LIAR, incarnation: this.incarnation() };
    const schemaVersions = Object.fromEntries(Object.keys(collections).map((name) => [name, 3]));
    const body = { device, epoch: this.epoch ?? "none", schemaVersion: 1, schemaVersions, collections, ...frame };
    const answered = await this.post("pull", JSON.stringify(body));
    if (answered.status === 200) this.own.note({}, answered.body);
    return answered;
  }

  register(frame: Json = {}): Promise<Answered> {
    const device = { id: LIAR, incarnation: this.incarnation(), name: "Till like any other" };
    return this.post("register", JSON.stringify({ device, schemaVersion: 1, ...frame }));
  }

  get(path: string): Promise<Answered> {
    return this.#ask(path, undefined);
  }

  post(path: string, text: string): Promise<Answered> {
    return this.#ask(path, text);
  }

  async #ask(path: string, text: string | undefined): Promise<Answered> {
    const { server, trace } = this.world;
    const { isRevoked: wasRevoked } = this;
    const { restores } = server;
    this.#requests += 1;
    const response = await server.handle(
      new Request(`http://shop.test/sync/${path}`, {
        method: text === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${server.token(LIAR)}`,
          "content-type": "application/json",
          "tillsync-protocol": "1",
          "tillsync-request-id": `liar-${this.#requests}`,
        },
        ...(text !== undefined && { body: text }),
      }),
    );
    const answer = await response.text();
    trace.say("server", `answers ${path} of ${LIAR}: ${response.status}, ${answer.length} characters`);
    const body = JSON.parse(answer) as Json;
    const { epoch, code } = body as { readonly epoch?: string; readonly code?: string };
    if (typeof epoch === "string") {
      this.epoch = epoch;
      this.heard.epochs.add(epoch);
    }
    if (response.status >= 500 && response.status !== 503)
      this.world.violation("S18", `${LIAR} was answered ${response.status} to a ${path}: ${answer.slice(0, 200)}`);
    if (wasRevoked && restores === server.restores && response.ok) judgeServed(this.world, LIAR, path, answer);
    if (path === "push" || path === "pull") judgeShown(this, path, answer);
    return { status: response.status, code, body };
  }
}
