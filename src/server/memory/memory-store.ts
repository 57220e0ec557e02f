/**
 * The model of a server store: it keeps every law of the port, in memory. For tests, simulators and demonstrations:
 * nothing survives the process, except in a snapshot.
 *
 * A script is synchronous, so a read runs in one go between two commits and needs no copy to be consistent.
 * Transactions of a tenant queue, because with `faults` they wait between their reads and their commit.
 */
import { TillSyncError } from "../../shared/errors.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { ServerStore, StoreReadScript, StoreScript, StoreWrites } from "../ports/store.ts";
import { runRead } from "./answer.ts";
import { getOrMake } from "./get-or-make.ts";
import { TenantState } from "./tenant-state.ts";

/**
 * A step of a transaction. `begin`: before anything is read. `commit`: after the decision, before anything is stored.
 * `answer`: after everything is stored, before the caller learns of it.
 */
export type MemoryStoreStep = "begin" | "commit" | "answer";

/** Failures to inject. */
export interface MemoryStoreFaults {
  /**
   * Called before each step of each transaction, and awaited. If it throws, the call rejects with what it threw, as
   * after a crash at that moment.
   */
  before?(step: MemoryStoreStep, tenant: string): void | Promise<void>;
}

/** What `memoryStore` takes. */
export interface MemoryStoreOptions {
  /** For the secret. @default the platform's randomness */
  readonly random?: Random | undefined;
  /** Failures to inject. @default none */
  readonly faults?: MemoryStoreFaults | undefined;
}

/** A backup: plain data, which later commits do not change. */
export interface MemorySnapshot {
  /** The store's secret. */
  readonly secret: string;
  /** For each tenant: all of its rows, as one commit. */
  readonly tenants: Readonly<Record<string, StoreWrites>>;
}

/** A server store in memory that can be backed up and restored. */
export interface MemoryStore extends ServerStore {
  /** A backup of everything that is committed. */
  snapshot(): MemorySnapshot;
  /**
   * Replaces everything, as if the disk had been restored and the server restarted. Transactions that have not
   * committed reject with `storage_unavailable`.
   */
  restore(snapshot: MemorySnapshot): void;
}

/**
 * A server store in memory. Everything is lost with the process.
 *
 * @example
 * ```ts
 * const handler = createSyncHandler({ store: memoryStore(), authenticate, collections, policies });
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new InMemoryStore(options);
}

interface Tenant {
  readonly state: TenantState;
  /** Resolves, and never rejects, when the last transaction that was requested has ended. */
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

/** Runs a script to its end. A script can wait only for reads. */
function drive<T>(state: TenantState, script: () => StoreReadScript<T>): T {
  const steps = script();
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.map((read) => runRead(state, read)));
  return step.value;
}

function tenantOf(disk: Disk, name: string): Tenant {
  return getOrMake(disk.tenants, name, () => ({ state: new TenantState(), tail: Promise.resolve() }));
}

function unavailable(message: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: "memory" });
}

function ignore(): void {}
