/** The change feed: in order, complete, and only what the reader may see. */
import type { FeedEntry, FeedPage, ScopeFilter, ServerStore } from "../../ports/store.ts";
import { check, equal } from "../assertions.ts";
import { read, upTo, write } from "../calls.ts";
import { type ContractCase, contractCase } from "../contract-case.ts";
import { changeOf, departureRow, recordRow } from "../rows.ts";

const END = Number.MAX_SAFE_INTEGER;

interface Range {
  readonly after?: number;
  readonly upTo?: number;
  readonly limit?: number;
  readonly bytes?: number;
}

function pageOf(
  store: ServerStore,
  scopes: ScopeFilter,
  { after = 0, upTo: last = END, limit = 1_000, bytes = END }: Range = {},
): Promise<FeedPage> {
  return read(store, { kind: "changes", collection: "products", scopes, after, upTo: last, limit, bytes });
}

async function changes(store: ServerStore, scopes: ScopeFilter, range?: Range): Promise<readonly FeedEntry[]> {
  return (await pageOf(store, scopes, range)).entries;
}

function count(store: ServerStore, scopes: ScopeFilter, { after = 0, upTo: last = END }: Range = {}): Promise<number> {
  return read(store, { kind: "countChanges", collection: "products", scopes, after, upTo: last });
}

/** A record as `tea@4`, a departure as `-tea@4`. */
function brief(entries: readonly FeedEntry[]): readonly string[] {
  return entries.map(({ kind, row }) => `${kind === "departure" ? "-" : ""}${row.id}@${row.version}`);
}

async function walk(
  store: ServerStore,
  scopes: ScopeFilter,
  { limit = 1_000, bytes = END }: Pick<Range, "limit" | "bytes">,
): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let after = 0; ; ) {
    const { entries, more } = await pageOf(store, scopes, { after, limit, bytes });
    check(entries.length <= limit, "a page is longer than its limit");
    for (const { row } of entries) check(row.version > after, "a page begins after its cursor");
    seen.push(...brief(entries));
    after = entries.at(-1)?.row.version ?? END;
    if (more) continue;
    equal(await changes(store, scopes, { after }), [], "after a page that says that it is the last one");
    return seen;
  }
}

/** A record of about 1,000 bytes, with half as many characters. */
const heavy = (n: number, scope = "") => recordRow(`row-${n}`, n, { data: { note: "ä".repeat(500) }, scope });

export const changeCases: readonly ContractCase[] = [
  contractCase(
    "changes: ascending by version, above `after`, up to `upTo`, at most `limit` entries",
    async ({ store }) => {
      const rows = [5, 3, 9, 1, 7].map((version) => recordRow(`row-${version}`, version));
      await write(store, { records: [...rows, recordRow("anna", 4, { collection: "customers" })] });
      equal(
        brief(await changes(store, [""])),
        [1, 3, 5, 7, 9].map((n) => `row-${n}@${n}`),
        "all changes",
      );
      equal(brief(await changes(store, [""], { after: 3 })), ["row-5@5", "row-7@7", "row-9@9"], "`after` is exclusive");
      equal(brief(await changes(store, [""], { after: 3, upTo: 7 })), ["row-5@5", "row-7@7"], "`upTo` is inclusive");
      equal(
        brief(await changes(store, [""], { after: 1, limit: 2 })),
        ["row-3@3", "row-5@5"],
        "`limit` takes the lowest",
      );
      equal(brief(await changes(store, [""], { after: 9 })), [], "after the last change");
      equal(await count(store, [""], { after: 3, upTo: 7 }), 2, "countChanges");
      equal(
        await changes(store, [""], { after: 8 }),
        [changeOf(recordRow("row-9", 9))],
        "a change has only what a page shows of the row, with its documents as they were stored",
      );
    },
  ),

  contractCase("changes: a row that changed again appears once, at its new version", async ({ store }) => {
    await write(store, { records: [recordRow("tea", 1), recordRow("milk", 2)] });
    for (const version of [3, 5, 8]) await write(store, { records: [recordRow("tea", version)] });
    equal(brief(await changes(store, [""])), ["milk@2", "tea@8"], "changes");
    equal(await count(store, [""]), 2, "countChanges");
  }),

  contractCase("changes: deleted rows are changes; stubs are not, until they become rows", async ({ store }) => {
    const stub = recordRow("tea", 1, { state: "stub", data: {}, createdVersion: 0 });
    await write(store, { records: [stub, recordRow("milk", 2, { state: "deleted" })] });
    for (const scopes of [[""], "all"] as const) {
      equal(brief(await changes(store, scopes)), ["milk@2"], `changes of ${scopes}`);
      equal(await count(store, scopes), 1, `countChanges of ${scopes}`);
    }
    equal(await read(store, { kind: "records", keys: [stub] }), [stub], "a stub is found by its key");
    await write(store, { records: [recordRow("tea", 3)] });
    equal(brief(await changes(store, [""])), ["milk@2", "tea@3"], "changes after the stub became a row");
  }),

  contractCase('changes: only the scopes that were asked for; "all" is every scope', async ({ store }) => {
    const scopes = ["", "north", "south", "nor"];
    await write(store, { records: upTo(12).map((n) => recordRow(`row-${n}`, n, { scope: scopes[n % 4] ?? "" })) });
    const versions = async (filter: ScopeFilter, range?: Range) =>
      (await changes(store, filter, range)).map(({ row }) => row.version);
    equal(await versions(["north"]), [1, 5, 9], "one scope");
    equal(await versions(["", "north"]), [1, 4, 5, 8, 9, 12], "two scopes");
    equal(await versions(["north", ""]), [1, 4, 5, 8, 9, 12], "two scopes, the other way round");
    equal(await versions(["north", "north", "?"]), [1, 5, 9], "a repeated and an unknown scope");
    equal(await versions("all"), upTo(12), "all scopes");
    equal(await versions("all", { after: 3, upTo: 10, limit: 4 }), [4, 5, 6, 7], "a page of all scopes");
    equal([await count(store, ["", "north"]), await count(store, "all", { after: 3 })], [6, 9], "countChanges");
  }),

  contractCase("changes: page by page, every change of many scopes is returned exactly once", async ({ store }) => {
    const scopes = upTo(60).map((n) => `branch-${n}`);
    // Uneven on purpose: the first branches hold most of the low versions.
    const records = upTo(600).map((n) =>
      recordRow(`row-${n}`, n, { scope: scopes[Math.floor((n * n) / 7) % (1 + (n % 60))] ?? "" }),
    );
    await write(store, { records });
    const everything = records.map(({ id, version }) => `${id}@${version}`);
    for (const limit of [1, 7, 100, 1_000])
      equal(await walk(store, "all", { limit }), everything, `all scopes in pages of ${limit}`);
    equal(await walk(store, scopes, { limit: 50 }), everything, "sixty named scopes in pages of 50");
    const some = new Set(scopes.filter((_, n) => n % 3 === 0));
    equal(
      await walk(store, [...some], { limit: 7 }),
      records.filter(({ scope }) => some.has(scope)).map(({ id, version }) => `${id}@${version}`),
      "twenty scopes",
    );
  }),

  contractCase("changes: a row that left a scope is a departure there, until it returns", async ({ store }) => {
    await write(store, {
      records: [recordRow("tea", 1, { scope: "north" }), recordRow("milk", 2, { scope: "north" })],
    });
    await write(store, {
      records: [recordRow("tea", 3, { scope: "south" })],
      departures: [departureRow("tea", 3, "north")],
    });
    equal(
      await changes(store, ["north"], { after: 2 }),
      [{ kind: "departure", row: departureRow("tea", 3, "north") }],
      "the scope that it left",
    );
    equal(brief(await changes(store, ["", "north"])), ["milk@2", "-tea@3"], "departures and rows, merged by version");
    equal(brief(await changes(store, ["south"])), ["tea@3"], "the scope that it moved to");
    equal(brief(await changes(store, "all")), ["milk@2", "tea@3"], "every scope, which no row can leave");
    equal([await count(store, ["north"]), await count(store, "all")], [2, 2], "countChanges");

    const home = {
      returns: [{ collection: "products", id: "tea", scope: "north" }],
      departures: [departureRow("tea", 4, "south")],
    };
    await write(store, { records: [recordRow("tea", 4, { scope: "north" })], ...home });
    equal(brief(await changes(store, ["north"])), ["milk@2", "tea@4"], "after it returned");
    equal(brief(await changes(store, ["south"])), ["-tea@4"], "the scope that it left by returning");
    await write(store, { returns: [{ collection: "products", id: "unknown", scope: "north" }] });
  }),

  contractCase(
    "changes: a row that left one of the reader's scopes for another has not left the reader",
    async ({ store }) => {
      await write(store, {
        records: [recordRow("tea", 3, { scope: "north" }), recordRow("milk", 4, { scope: "south", state: "deleted" })],
        departures: [departureRow("tea", 3, ""), departureRow("milk", 4, "")],
      });
      equal(brief(await changes(store, ["", "north"])), ["tea@3", "-milk@4"], "changes");
      equal(await count(store, ["", "north"]), 2, "countChanges");
      equal(brief(await changes(store, ["", "south"])), ["-tea@3", "milk@4"], "the other branch");
      equal(brief(await changes(store, [""])), ["-tea@3", "-milk@4"], "a reader of neither branch");
    },
  ),

  contractCase(
    "changes: page by page, every change and every departure is returned exactly once",
    async ({ store }) => {
      const moved = upTo(200).filter((n) => n % 4 === 0);
      const records = upTo(200).map((n) =>
        recordRow(`row-${n}`, n, { scope: n % 4 === 0 ? (n % 8 === 0 ? "north" : "south") : "" }),
      );
      await write(store, { records, departures: moved.map((n) => departureRow(`row-${n}`, n, "")) });
      const expected = upTo(200).map((n) => `${n % 4 === 0 && n % 8 !== 0 ? "-" : ""}row-${n}@${n}`);
      for (const limit of [1, 3, 10, 500])
        equal(await walk(store, ["", "north"], { limit }), expected, `pages of ${limit}`);
      equal(await count(store, ["", "north"]), 200, "countChanges");
    },
  ),

  contractCase("changes: a page ends with the record that brings it to `bytes` (L12)", async ({ store }) => {
    await write(store, { records: upTo(10).map((n) => heavy(n)) });
    for (const scopes of [[""], "all"] as const) {
      const held = async (range: Range) => {
        const { entries, more } = await pageOf(store, scopes, range);
        return [entries.map(({ row }) => row.version), more];
      };
      equal(await held({ bytes: 3_500 }), [[1, 2, 3, 4], true], `as much as reaches the bytes, of ${scopes}`);
      equal(await held({ bytes: 3_500, after: 4 }), [[5, 6, 7, 8], true], `the next page of ${scopes}`);
      equal(await held({ bytes: 3_500, after: 8 }), [[9, 10], false], `the last page of ${scopes}`);
      equal(await held({ bytes: 3_500, limit: 2 }), [[1, 2], true], `a limit that is reached first, of ${scopes}`);
      for (const bytes of [1, 0]) equal(await held({ bytes }), [[1], true], `at least one record, of ${scopes}`);
      equal(await held({ bytes: 1_000_000 }), [upTo(10), false], `more bytes than there are, of ${scopes}`);
    }
  }),

  contractCase(
    "changes: in pages limited by bytes, every change and every departure is returned exactly once",
    async ({ store }) => {
      const scopeOf = (n: number) => (n % 5 === 0 ? "south" : n % 3 === 0 ? "north" : "");
      const left = upTo(60).filter((n) => scopeOf(n) === "south");
      await write(store, {
        records: upTo(60).map((n) =>
          n % 4 === 0 ? heavy(n, scopeOf(n)) : recordRow(`row-${n}`, n, { scope: scopeOf(n) }),
        ),
        departures: left.map((n) => departureRow(`row-${n}`, n, "")),
      });
      const expected = upTo(60).map((n) => `${scopeOf(n) === "south" ? "-" : ""}row-${n}@${n}`);
      for (const bytes of [1, 1_500, 5_000]) {
        equal(await walk(store, ["", "north"], { bytes }), expected, `pages of ${bytes} bytes`);
        equal(await walk(store, ["", "north"], { bytes, limit: 7 }), expected, `pages of ${bytes} bytes, and of seven`);
        equal(
          await walk(store, "all", { bytes }),
          upTo(60).map((n) => `row-${n}@${n}`),
          `all scopes in pages of ${bytes} bytes`,
        );
      }
    },
  ),
];
