/** What somebody watches in a tab: lists that follow every change, and records of which he wants to know how they end. */
import type { Settlement } from "tillsync";
import { CUSTOMERS } from "../sim-shop.ts";
import type { Tab } from "./tab.ts";

type Row = Readonly<Record<string, unknown>> & { readonly id: string };
interface Snapshot {
  readonly rows: readonly Row[];
  readonly more: boolean;
  readonly error: unknown;
  meta(id: string): unknown;
}
interface Collection {
  find(query: object): Promise<readonly Row[]>;
  live(query: object): { getSnapshot(): Snapshot; subscribe(listener: (snapshot: Snapshot) => void): () => void };
  watch(query: object, listener: (snapshot: Snapshot) => void): () => void;
  meta(id: string): Promise<unknown>;
  settled(id: string): Promise<Settlement<never>>;
}
interface List {
  readonly name: string;
  /** What it shows now, as text. */
  shows(): string;
  /** What it should show. */
  is(): Promise<string>;
}

/** Fewer than there are, and more. */
const LIMITS = [2, 50];
const DESK = 30;

export class Watched {
  readonly lists: readonly List[];
  readonly #tab: Tab;
  /** By record: whoever waits for how it ends. */
  readonly #waiting = new Map<string, { isOver: boolean }>();

  constructor(tab: Tab) {
    this.#tab = tab;
    const { client, machine } = tab;
    const limit = tab.draw.pick(LIMITS);
    this.lists = [
      this.#live("products", { limit }),
      this.#watch("customers", { index: "phone", limit: tab.draw.pick(LIMITS) }),
      this.#watch("customers", { ids: [...CUSTOMERS, "x-1", "x-2", "x-3"], limit: tab.draw.pick(LIMITS) }),
      this.#live("sales", { index: "till", equals: machine.name, reverse: true, limit }),
      desk("operations", client.operations.live({ limit: DESK }), () => client.operations.list({ limit: DESK })),
      desk("conflicts", client.conflicts.live(), () => client.conflicts.list()),
    ];
  }

  /** Somebody waits for how that ends. */
  awaits(collection: string, id: string): void {
    const subject = `${collection}/${id}`;
    const wait = { isOver: false };
    this.#waiting.set(subject, wait);
    const { machine, name } = this.#tab;
    const { world } = machine;
    const over = (what: string) => {
      wait.isOver = true;
      world.trace.say(machine.name, `${name} settled ${subject}: ${what}`);
    };
    this.#collection(collection)
      .settled(id)
      .then(
        ({ state }) => over(state),
        // A disk that fails fails whoever reads it; nobody else may be let down.
        ({ code = "", message = "" }: { code?: string; message?: string }) => {
          over(code);
          if (!/^storage_/.test(code)) world.violation("V4", `${name} settled(${subject}) failed: ${code} ${message}`);
        },
      );
  }

  /** Nothing waits for the server any more: whatever is shown is what there is. */
  async strays(): Promise<readonly string[]> {
    const { name, machine } = this.#tab;
    const found: string[] = [];
    for (const list of this.lists) {
      const [is, shows] = [await list.is(), list.shows()];
      if (is !== shows) found.push(`${name} watches ${list.name}: it shows ${shows}, and there is ${is}`);
    }
    const open = new Set(
      machine
        .operations()
        .filter(({ state }) => state === "pending" || state === "blocked")
        .map(({ collection, entityId }) => `${collection}/${entityId}`),
    );
    for (const [subject, { isOver }] of this.#waiting)
      if (!isOver && !open.has(subject)) found.push(`${name} still waits for ${subject}, which has ended`);
    return found;
  }

  #live(collection: string, query: object): List {
    const live = this.#collection(collection).live(query);
    live.subscribe(() => {});
    return this.#list(collection, query, () => live.getSnapshot());
  }

  #watch(collection: string, query: object): List {
    let last: Snapshot | undefined;
    this.#collection(collection).watch(query, (snapshot) => {
      last = snapshot;
    });
    return this.#list(collection, query, () => last);
  }

  #list(name: string, query: object, snapshot: () => Snapshot | undefined): List {
    const collection = this.#collection(name);
    return {
      name: `${name} ${JSON.stringify(query)}`,
      shows: () => {
        const { rows = [], more, error, meta } = snapshot() ?? {};
        return JSON.stringify([rows, rows.map(({ id }) => meta?.(id)), more, error === undefined]);
      },
      async is() {
        const { limit, ...rest } = query as { limit: number };
        const all = await collection.find(rest);
        const rows = all.slice(0, limit);
        const metas = [];
        for (const { id } of rows) metas.push(await collection.meta(id));
        return JSON.stringify([rows, metas, all.length > limit, true]);
      },
    };
  }

  #collection(name: string): Collection {
    return (this.#tab.client.collections as unknown as Record<string, Collection>)[name] as Collection;
  }
}

function desk(
  name: string,
  live: { getSnapshot(): unknown; subscribe(listener: () => void): unknown },
  list: () => Promise<unknown>,
): List {
  live.subscribe(() => {});
  return {
    name,
    shows: () => JSON.stringify(live.getSnapshot()),
    is: async () => JSON.stringify(await list()),
  };
}
