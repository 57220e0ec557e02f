/** A till of a `RuleShop`: the real client, its disk, its line, and what its token says. */
import type { Principal } from "tillsync/server";
import { type MemoryAdapter, memory } from "tillsync/storage/memory";
import type { StoredOperation } from "../../src/client/state/operation.ts";
import type { StoredRow } from "../../src/client/state/rows.ts";
import type { SyncClient, SyncClientOptions, SyncOptions } from "../../src/client/types/client.ts";
import type { CollectionMap } from "../../src/schema/types.ts";
import { type FlatOperation, flat } from "./flat-operation.ts";
import type { RuleLine } from "./rule-line.ts";
import type { collections } from "./shop.ts";

export const STORE_NAME = "shop";

export interface TillOptions<C extends CollectionMap> {
  readonly branch?: string | undefined;
  /** A disk with data on it: a copy of another till's, or the till's own after a restart. */
  readonly disk?: MemoryAdapter | undefined;
  readonly device?: string | undefined;
  /**
   * The scopes of the token.
   * @default ["sync"]
   */
  readonly scopes?: readonly string[] | undefined;
  /** The token's device, if it is not the till's. */
  readonly tokenDevice?: string | undefined;
  readonly collections?: CollectionMap | undefined;
  readonly actor?: string | undefined;
  readonly sync?: SyncOptions | undefined;
  /** By how much the till's own clock is wrong. */
  readonly skewMs?: number | undefined;
  readonly options?: Partial<SyncClientOptions<C>> | undefined;
}

export class RuleTill<C extends CollectionMap = typeof collections> {
  readonly client: SyncClient<C>;
  readonly data: SyncClient<C>["collections"];
  readonly line: RuleLine;
  readonly disk: MemoryAdapter;
  readonly device: string;
  /** What its token says. A test may change it, as an issuer of tokens would. */
  readonly principal: { -readonly [K in keyof Principal]: Principal[K] };
  readonly events: { readonly name: string; readonly payload: unknown }[] = [];

  constructor(parts: Pick<RuleTill<C>, "client" | "line" | "disk" | "device" | "principal">) {
    this.client = parts.client;
    this.data = parts.client.collections;
    this.line = parts.line;
    this.disk = parts.disk;
    this.device = parts.device;
    this.principal = parts.principal;
    const names = [
      "applied",
      "rejected",
      "quarantined",
      "conflict",
      "identity_forked",
      "storage_lost",
      "epoch_changed",
    ];
    for (const name of [...names, "device_revoked", "error"] as const) {
      this.client.on(name as "error", (payload) => this.events.push({ name, payload }));
    }
  }

  sync() {
    return this.client.sync();
  }
  told(name: string): readonly unknown[] {
    return this.events.filter((event) => event.name === name).map(({ payload }) => payload);
  }
  #table<V>(name: string): readonly V[] {
    return (this.disk.snapshot(STORE_NAME).tables[name] ?? []).map(([, value]) => value as V);
  }
  /** Outbox and journal, as they are on the disk. */
  get operations(): readonly FlatOperation[] {
    return this.#table<StoredOperation>("operations")
      .map(flat)
      .sort((a, b) => a.sequence - b.sequence);
  }
  operationOn(entityId: string, action?: string): FlatOperation {
    const found = this.operations.filter(
      (o) => o.entityId === entityId && (action === undefined || o.action === action),
    );
    if (found[0] === undefined) throw new Error(`the till has no ${action ?? "operation"} on ${entityId}`);
    return found[0];
  }
  rows(collection: string): readonly StoredRow[] {
    return this.#table<StoredRow>(`c:${collection}`);
  }
  /** Another disk with the same data on it. */
  copyOfDisk(): MemoryAdapter {
    const copy = memory();
    copy.restore(STORE_NAME, this.disk.snapshot(STORE_NAME));
    return copy;
  }
  /** Takes a backup of the disk. The function restores it. */
  backup(): () => void {
    const saved = this.disk.snapshot(STORE_NAME);
    return () => this.disk.restore(STORE_NAME, saved);
  }
  /** Changes the rows of a table on the disk, to what another version of the app may have written. */
  rewrite(table: string, change: (value: never, key: string) => unknown): void {
    const { layout, tables } = this.disk.snapshot(STORE_NAME);
    const rows = (tables[table] ?? []).map(
      ([key, value]) => [key, change(structuredClone(value) as never, key)] as const,
    );
    this.disk.restore(STORE_NAME, { layout, tables: { ...tables, [table]: rows } });
  }
  /** Collects every value of a field that a live query shows from now on. */
  watch(collection: keyof C & string, id: string, field: string): unknown[] {
    const shown: unknown[] = [];
    const source = this.data[collection] as unknown as {
      watch(
        query: object,
        listener: (snapshot: { loading: boolean; rows: readonly Record<string, unknown>[] }) => void,
      ): void;
    };
    source.watch({ ids: [id], limit: 1 }, ({ loading, rows }) => {
      if (!loading) shown.push(rows[0]?.[field]);
    });
    return shown;
  }
}
