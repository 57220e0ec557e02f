/** A client of any version of the app, as one that speaks version 1: what goes in is translated, and so is what comes out. */
import type { SyncClient } from "tillsync";
import type { Shop } from "../sim-shop.ts";
import { down, type Json, made, up, type Version } from "../versions.ts";

type Row = Json & { readonly id: string };
// biome-ignore lint/suspicious/noExplicitAny: whatever the client has
type Any = any;

export function speaking(client: SyncClient<Shop>, version: Version): SyncClient<Shop> {
  if (version === 1) return client;
  const names = Object.keys(client.collections);
  const collections = Object.fromEntries(
    names.map((name) => [name, collection(name, (client.collections as Any)[name], version)]),
  );
  return over(client, {
    collections,
    transaction: (run: (tx: Any, context: Any) => unknown, options: Any) =>
      client.transaction(
        (tx: Any, context: Any) =>
          run(Object.fromEntries(names.map((name) => [name, collection(name, tx[name], version)])), context),
        options,
      ),
    conflicts: over(client.conflicts, {
      list: async (filter: Any) =>
        (await client.conflicts.list(filter)).map((conflict: Any) => {
          const side = (of: Any) => of && down(version, conflict.collection, of);
          const { base, client: own, server } = conflict;
          return { ...conflict, base: side(base), client: side(own), server: side(server) };
        }),
      resolve: (conflict: Any, choice: Any, options: Any) =>
        client.conflicts.resolve(
          conflict,
          typeof choice === "string" ? choice : ({ merged: up(version, conflict.collection, choice.merged) } as Any),
          options,
        ),
    }),
    operations: over(client.operations, {
      amend: (operation: Any, patch: Any) =>
        client.operations.amend(operation, up(version, operation.collection, patch) as Any),
    }),
  }) as SyncClient<Shop>;
}

function collection(name: string, inner: Any, version: Version): object {
  const input = (data: Json) => up(version, name, data);
  const output = (row: Row | undefined) => row && down(version, name, row);
  const rows = (found: readonly Row[]) => found.map((row) => output(row));
  const snapshot = (of: Any) => over(of, { rows: rows(of.rows) });
  const now = (made: unknown) =>
    typeof (made as Any)?.then === "function" ? (made as Promise<Row>).then(output) : made && output(made as Row);
  return over(inner, {
    get: async (id: string) => output(await inner.get(id)),
    getMany: async (ids: readonly string[]) => rows(await inner.getMany(ids)),
    find: async (query: Any, options: Any) => rows(await inner.find(query, options)),
    first: async (query: Any, options: Any) => output(await inner.first(query, options)),
    create: (data: Json, options: Any) => now(inner.create(made(version, name, data), options)),
    createMany: async (all: readonly Json[], options: Any) =>
      rows(
        await inner.createMany(
          all.map((data) => made(version, name, data)),
          options,
        ),
      ),
    update: (id: string, patch: Json, options: Any) => now(inner.update(id, input(patch), options)),
    increment: (id: string, by: Json, options: Any) => now(inner.increment(id, by, options)),
    live: (query: Any) => {
      const live = inner.live(query);
      return over(live, {
        getSnapshot: () => snapshot(live.getSnapshot()),
        subscribe: (listener: (of: Any) => void) => live.subscribe((of: Any) => listener(snapshot(of))),
      });
    },
    watch: (query: Any, listener: (of: Any) => void) => inner.watch(query, (of: Any) => listener(snapshot(of))),
  });
}

/** The same object, but for these members. Methods keep their `this`. The object itself may be frozen, and is not the target. */
function over<T extends object>(inner: T, members: object): T {
  return new Proxy({} as T, {
    get(_target, name) {
      if (Object.hasOwn(members, name)) return (members as Any)[name];
      const value = Reflect.get(inner, name);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}
