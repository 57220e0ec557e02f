/** The server: two processes of the real handler over one store. They crash, are slow, and the database is put back. */
import { createSyncServer, type LiveSocket, type SyncServer } from "tillsync/server";
import { type MemorySnapshot, type MemoryStore, type MemoryStoreStep, memoryStore } from "tillsync/server/memory";
import { announceRestore } from "../../../src/server/admin/announce-restore.ts";
import { importRows } from "../../../src/server/admin/import-rows.ts";
import { revokeDevice } from "../../../src/server/admin/revoke-device.ts";
import type { RecordRow } from "../../../src/server/ports/rows.ts";
import type { StoreWrites } from "../../../src/server/ports/store.ts";
import { uuidV7 } from "../../../src/shared/random.ts";
import { Draw } from "../engine/draw.ts";
import {
  type BRANCHES,
  catalogueRows,
  collections,
  LIAR,
  LIAR_ACTOR,
  STAFF,
  seedRows,
  TENANT,
  whileWorking,
} from "../sim-shop.ts";
import { down, NEWEST, plainName, plainOperation, policiesOf, shopOf, type Version } from "../versions.ts";
import type { SimWorld } from "../world.ts";
import { Relay } from "./relay.ts";

/** What a desk lists, as far as it is looked at. */
interface Versioned {
  readonly version: number;
}
export interface Listed {
  readonly id: string;
  /** Of the row as the desk shows it; absent for an operation in quarantine. */
  readonly version?: number;
  /** Whose it is. */
  readonly device: string;
}
interface DeskList {
  readonly conflicts?: readonly (Listed & { readonly server: Versioned; readonly current?: Versioned })[];
  readonly quarantined?: readonly { readonly operation: { readonly id: string }; readonly device: string }[];
  readonly next?: string;
}

interface Process {
  server: SyncServer | undefined;
  /** Of the software that it has. */
  version: Version;
  /** Its channels for pokes: they end with it. */
  readonly sockets: Set<LiveSocket>;
  /** Counts its lives: an answer of an earlier one never leaves. */
  life: number;
}

/** Nobody is served before the database is as whoever put it back wants it. */
const RESTORE_MS = 10_000;
const INSISTS_MS = 1_000;
const RESTART_MS = 300;
const START = Date.UTC(2026, 10, 20, 8);
const PROCESSES = 2;

class ServerCrash extends Error {}

/** It crashed, or its database was put back, while somebody wanted something of it. */
export function isServerDown(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return error instanceof ServerCrash || code === "unavailable" || code === "storage_unavailable";
}

export class Server {
  readonly store: MemoryStore;
  readonly revoked = new Set<string>();
  /** The position at which it was: nothing beyond it is for them. */
  readonly revokedAt = new Map<string, number>();
  /** How long each step of a transaction takes at most. */
  slowMs = 0;
  /** Somebody is putting the database back: nobody else does it at the same time. */
  isRestoring = false;
  /** Its database is, or was, another one than it began with: tills may have bases of several histories. */
  wasRestored = false;
  /** How often its database was put back. */
  restores = 0;
  /** The shop's policies throw at edits: those are to be sent again later. */
  policiesFail = false;
  /** The database takes nothing, or nobody can say whose a token is: a 503 with a Retry-After. */
  isDatabaseDown = false;
  areTokensUnchecked = false;
  readonly #world: SimWorld;
  readonly #draw: Draw;
  readonly #processes: Process[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #relay: Relay;
  #armed: MemoryStoreStep | undefined;
  #turn = 0;

  constructor(world: SimWorld, seed: number) {
    this.#world = world;
    this.#draw = new Draw(seed, "server");
    this.store = memoryStore({ random: this.#random("store"), faults: { before: (step) => this.#before(step) } });
    this.#relay = new Relay(world.timeline);
    for (let at = 0; at < PROCESSES; at++)
      this.#processes.push({ server: this.#start(at, 1), version: 1, sockets: new Set(), life: 1 });
  }

  now(): number {
    return START + this.#world.timeline.now + this.#world.shutMs;
  }

  async seed(): Promise<void> {
    const common = { store: this.store, collections, tenant: TENANT, clock: this.#clock, random: this.#random("seed") };
    await importRows({ ...common, collection: "products", rows: seedRows.products });
    await importRows({ ...common, collection: "customers", rows: seedRows.customers });
    const { catalogue = 0 } = this.#world.plan.options;
    if (catalogue > 0) await importRows({ ...common, collection: "products", rows: catalogueRows(catalogue) });
  }

  async handle(request: Request): Promise<Response> {
    this.#turn += 1;
    const process = this.#processes[this.#turn % PROCESSES] as Process;
    if (process.server === undefined) throw new TypeError("Connection refused");
    const { life } = process;
    const response = await process.server.handler(request);
    if (process.life !== life) throw new TypeError("Connection reset");
    return response;
  }

  /** A channel for pokes to one of the processes; `undefined`: there is none to be had. */
  async connect(request: Request, socket: LiveSocket): Promise<{ close(): void } | undefined> {
    this.#turn += 1;
    const process = this.#processes[this.#turn % PROCESSES] as Process;
    const { life, server, sockets } = process;
    const connection = await server?.live.connect(request, socket);
    if (connection === undefined || connection instanceof Response) return undefined;
    if (process.life !== life) return undefined;
    sockets.add(socket);
    return {
      close: () => {
        sockets.delete(socket);
        connection.close();
      },
    };
  }

  /** The whole machine goes down at the next such step of a transaction. */
  armCrash(step: MemoryStoreStep): void {
    this.#armed = step;
  }

  crash(which: number | "all", forMs: number): void {
    for (const [at, process] of this.#processes.entries()) {
      if (which !== "all" && which !== at) continue;
      process.server = undefined;
      process.life += 1;
      for (const socket of process.sockets) socket.close();
      process.sockets.clear();
      this.#world.timeline.after(forMs, () => {
        process.server ??= this.#start(at, process.version);
      });
    }
    this.#world.trace.say("server", `crash of ${which} for ${forMs} ms`);
  }

  up(): void {
    this.slowMs = 0;
    this.#armed = undefined;
    this.policiesFail = false;
    this.isDatabaseDown = false;
    this.areTokensUnchecked = false;
    for (const [at, process] of this.#processes.entries()) {
      if (this.#world.plan.options.versions && process.version !== NEWEST) {
        this.crash(at, 0);
        process.version = NEWEST;
      }
      process.server ??= this.#start(at, process.version);
    }
  }

  backup(): MemorySnapshot {
    return this.store.snapshot();
  }

  async restore(backup: MemorySnapshot, announced: boolean): Promise<void> {
    this.isRestoring = true;
    await this.#putBack(backup, announced).finally(() => {
      this.isRestoring = false;
    });
  }

  async #putBack(backup: MemorySnapshot, announced: boolean): Promise<void> {
    this.crash("all", RESTORE_MS);
    this.wasRestored = true;
    this.restores += 1;
    this.#world.liar?.loses(this.rows(), backup.tenants[TENANT]);
    this.store.restore(backup);
    // Whatever becomes of the announcement.
    this.#world.model.restored();
    const random = this.#random(`announce${this.#world.timeline.now}`);
    if (announced) await this.#insist(() => announceRestore(this.store, TENANT, { clock: this.#clock, random }));
    // Whoever issues the tokens keeps the list of what is revoked: the database has forgotten it [M12].
    for (const device of this.revoked) {
      await this.#revoke(device);
      // In this history it may have seen whatever it has.
      this.revokedAt.delete(device);
    }
  }

  async revoke(device: string): Promise<void> {
    this.revoked.add(device);
    await this.#revoke(device);
    // Rows of a tail that a restore has taken away have greater positions. The till may keep those that it was sent before it
    // was revoked, also if their answer is still under way or waits for the till's disk.
    const had = this.#world.machines
      .filter(({ deviceId }) => deviceId === device)
      .flatMap(({ heights, line }) => [...[...heights.values()].map(({ version }) => version), line.answeredVersion]);
    this.revokedAt.set(device, Math.max(this.rows().clock?.position ?? 0, ...had));
  }

  /** From now on the device needs a new token. */
  expireToken(device: string): void {
    this.#tokens.set(device, this.#generation(device) + 1);
  }

  /** @param branch another one than it works in */
  token(device: string, branch = ""): string {
    return `${device}.${this.#generation(device)}.${branch}`;
  }

  /** Everything that is stored. */
  rows(): StoreWrites {
    const rows = this.store.snapshot().tenants[TENANT] ?? {};
    if (!this.#world.plan.options.versions) return rows;
    const { records = [], operations = [] } = rows;
    return {
      ...rows,
      records: records.map(plainRow),
      operations: operations.map((row) => {
        // A liar may have sent anything: what can be read of it is of version 1.
        if (row.device === LIAR || row.operation === undefined) return row;
        return { ...row, operation: plainOperation({ ...row.operation, collection: row.collection }) };
      }),
    } as StoreWrites;
  }

  /**
   * The ids of operations that have arrived: not those of which a liar says only that they are replaced, or under which it has sent something
   * else. What was taken like that has arrived where its own payload is kept.
   */
  arrived(): ReadonlySet<string> {
    const { operations = [] } = this.store.snapshot().tenants[TENANT] ?? {};
    const honest = operations.filter(({ device }) => device !== LIAR);
    return new Set(honest.flatMap(({ id, operation }) => [id, operation?.id ?? id]));
  }

  /** One process after the other gets this version of the software: for a while there are two. */
  deploy(version: Version, afterMs: readonly number[]): void {
    for (const [at, process] of this.#processes.entries()) {
      this.#world.timeline.after(afterMs[at] ?? 0, () => {
        if (this.#world.isHealing) return;
        process.version = version;
        this.crash(at, RESTART_MS);
      });
    }
  }

  /** All that a desk lists, page by page; `undefined` where the server does not answer. */
  async list(desk: "conflicts" | "quarantine", branch?: string): Promise<readonly Listed[] | undefined> {
    const found: Listed[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page = (await this.desk(`${desk}${after && `?after=${after}`}`, undefined, branch)) as DeskList | undefined;
      if (page === undefined) return undefined;
      for (const { id, device, server, current = server } of page.conflicts ?? [])
        found.push({ id, device, version: current.version });
      for (const { operation, device } of page.quarantined ?? []) found.push({ id: operation.id, device });
      after = page.next;
    }
    return found;
  }

  /** What the back office does at its own desk: the one of the whole shop, or that of a branch. */
  async desk(path: string, body?: object, branch = ""): Promise<unknown> {
    const response = await this.handle(
      new Request(`http://shop.test/sync/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer office.0.${branch}`,
          "content-type": "application/json",
          "tillsync-protocol": "1",
          "tillsync-request-id": this.#random(`desk${this.#turn}`).uuid(),
        },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
    this.deskStatus = response.status;
    return response.ok ? response.json() : undefined;
  }
  /** Of the last answer to the back office. */
  deskStatus = 0;

  readonly #policies = whileWorking(() => !this.policiesFail);
  readonly #clock = { now: () => this.now() };

  #revoke(device: string): Promise<unknown> {
    return this.#insist(() => revokeDevice({ store: this.store, tenant: TENANT, device, clock: this.#clock }));
  }

  /** An operator whose command has failed gives it again. */
  async #insist<T>(command: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await command();
      } catch (error) {
        if (!isServerDown(error)) throw error;
        await this.#world.timeline.wait(INSISTS_MS);
      }
    }
  }

  #generation(device: string): number {
    return this.#tokens.get(device) ?? 0;
  }

  #start(at: number, version: Version): SyncServer {
    return createSyncServer({
      store: this.store,
      collections: shopOf(version),
      policies: policiesOf(version, this.#policies),
      pokes: this.#relay.of(`process${at}`),
      clock: { now: () => this.now(), sleep: (ms) => this.#world.timeline.wait(ms) },
      random: this.#random(`process${at}.${this.#world.timeline.now}`),
      authenticate: (request: Request) => {
        if (this.areTokensUnchecked) throw new Error("Whoever knows the tokens does not answer.");
        const [device = "", generation, branch = ""] = (request.headers.get("authorization") ?? "")
          .replace("Bearer ", "")
          .split(".");
        if (device === "" || Number(generation) !== this.#generation(device)) return undefined;
        const bound = branch === "" ? {} : { branch };
        if (device === "office") return { tenant: TENANT, actor: "boss", scopes: ["sync:desk", STAFF], ...bound };
        if (device === LIAR)
          return { tenant: TENANT, branch: branchOf(device), device, actor: LIAR_ACTOR, scopes: ["sync"] };
        return { tenant: TENANT, branch: branchOf(device), device, scopes: ["sync", STAFF], ...bound };
      },
    });
  }

  async #before(step: MemoryStoreStep): Promise<void> {
    if (this.isDatabaseDown && step === "begin") throw new ServerCrash("The database does not answer.");
    if (this.slowMs > 0) await this.#world.timeline.wait(this.#draw.int(0, this.slowMs));
    const isPoint = this.#world.reaches(`server_${step}`);
    if (this.#armed !== step && !isPoint) return;
    this.#armed = undefined;
    if (!isPoint) this.#world.hit(`server_crash_${step}`);
    this.crash("all", this.#draw.int(200, 15_000));
    throw new ServerCrash(`The server crashed before "${step}".`);
  }

  #random(purpose: string) {
    const draw = new Draw(this.#world.plan.seed, purpose);
    return {
      unit: () => draw.unit(),
      uuid: () =>
        uuidV7(
          this.now(),
          Uint8Array.from({ length: 10 }, () => draw.int(0, 255)),
        ),
    };
  }
}

/** As it would be in version 1. */
function plainRow(row: RecordRow): RecordRow {
  const { collection, schemaVersion } = row;
  const fields = Object.entries(row.fields).map(([name, stamp]) => [plainName(schemaVersion, collection, name), stamp]);
  return { ...row, data: down(schemaVersion, collection, row.data), fields: Object.fromEntries(fields) };
}

/** Two tills in the main branch, one in the other, and one of the head office, which sees all. */
export function branchOf(device: string): (typeof BRANCHES)[number] | undefined {
  if (device === "till-3") return undefined;
  return device === "till-2" ? "annex" : "main";
}
