/**
 * The model of a server store: keeps every law of the port, in memory. For tests, simulators and demonstrations: nothing
 * survives the process, except as a snapshot.
 *
 * A script is synchronous, so a read runs in one go between two commits and needs no copy to be consistent. Transactions
 * of a tenant queue: with `faults` there are waits between the reading and the commit.
 */
import { TillSyncError } from "../../shared/errors.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { ServerStore, StoreReadScript, StoreScript, StoreWrites } from "../ports/store.ts";
import { answer } from "./answer.ts";
import { getOrMake } from "./get-or-make.ts";
import { TenantState } from "./tenant-state.ts";

/** `begin`: nothing is read. `commit`: everything is decided, nothing is stored. `answer`: everything is stored, nobody knows. */
export type MemoryStoreStep = "begin" | "commit" | "answer";

export interface MemoryStoreFaults {
  /** Called before each step of a transaction, and waited for. What it throws rejects the call, as a crash there would. */
  before?(step: MemoryStoreStep, tenant: string): void | Promise<void>;
}

export interface MemoryStoreOptions {
  /** For the secret. @default the platform's */
  readonly random?: Random | undefined;
  readonly faults?: MemoryStoreFaults | undefined;
}

/** A backup: plain data, which later commits leave alone. */
export interface MemorySnapshot {
  readonly secret: string;
  /** Per tenant: all of its rows, as one commit. */
  readonly tenants: Readonly<Record<string, StoreWrites>>;
}

export interface MemoryStore extends ServerStore {
  snapshot(): MemorySnapshot;
  /** As if the disk had been put back and the server started again: what was in the middle of a transaction is rejected. */
  restore(snapshot: MemorySnapshot): void;
}

export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new InMemoryStore(options);
}

interface Tenant {
  readonly state: TenantState;
  /** Settles, never rejects, when the last transaction that was asked for is through. */
  tail: Promise<unknown>;
}

/** What a restore replaces as a whole. */
interface Disk {
  readonly secret: string;
  readonly tenants: Map<string, Tenant>;
}

class InMemoryStore implements MemoryStore {
  readonly kind = "memory";
  readonly "~port" = "server-store";
  readonly #faults: MemoryStoreFaults | undefined;
  #disk: Disk;
  #closed = false;

  constructor({ random = systemRandom, faults }: MemoryStoreOptions) {
    this.#faults = faults;
    this.#disk = { secret: (random.uuid() + random.uuid()).replaceAll("-", ""), tenants: new Map() };
  }

  async transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
    const disk = this.#open();
    const row = tenantOf(disk, tenant);
    const turn = row.tail.then(() => this.#run(disk, tenant, row.state, script));
    row.tail = turn.then(ignore, ignore);
    return turn;
  }

  async read<T>(tenant: string, script: () => StoreReadScript<T>): Promise<T> {
    return drive(this.#open().tenants.get(tenant)?.state ?? new TenantState(), script);
  }

  async secret(): Promise<string> {
    return this.#open().secret;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#disk.tenants.values()].map(({ tail }) => tail));
    this.#closed = true;
  }

  snapshot(): MemorySnapshot {
    const { secret, tenants } = this.#disk;
    return {
      secret,
      tenants: Object.fromEntries([...tenants].map(([tenant, { state }]) => [tenant, state.contents()])),
    };
  }

  restore(snapshot: MemorySnapshot): void {
    const disk: Disk = { secret: snapshot.secret, tenants: new Map() };
    for (const [tenant, rows] of Object.entries(snapshot.tenants)) tenantOf(disk, tenant).state.apply(rows);
    this.#disk = disk;
  }

  async #run<T>(disk: Disk, tenant: string, state: TenantState, script: () => StoreScript<T>): Promise<T> {
    const before = this.#faults?.before?.bind(this.#faults);
    if (before !== undefined) await before("begin", tenant);
    this.#refuseReplaced(disk);
    const { value, writes } = drive(state, script);
    if (before !== undefined) await before("commit", tenant);
    this.#refuseReplaced(disk);
    state.apply(writes);
    if (before !== undefined) await before("answer", tenant);
    return value;
  }

  #open(): Disk {
    if (this.#closed) throw unavailable("The store is closed.");
    return this.#disk;
  }

  #refuseReplaced(disk: Disk): void {
    if (disk !== this.#disk) throw unavailable("The store was restored while this transaction ran.");
  }
}

/** Runs a script to its end: it can wait for reads and for nothing else. */
function drive<T>(state: TenantState, script: () => StoreReadScript<T>): T {
  const steps = script();
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.map((read) => answer(state, read)));
  return step.value;
}

function tenantOf(disk: Disk, name: string): Tenant {
  return getOrMake(disk.tenants, name, () => ({ state: new TenantState(), tail: Promise.resolve() }));
}

function unavailable(message: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: "memory" });
}

function ignore(): void {}
