/** Bugs in what a till stores and shows. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const view: readonly Mutant[] = [
  mutant(
    "view and queue in two transactions",
    "S7",
    patch(
      "client/store/writer.ts",
      "    const result = await this.#options.store.transact(",
      `    let rest: readonly { table: string }[] = [];
    const whole = script;
    script = function* () {
      const done = yield* whole();
      rest = done.writes.filter(({ table }) => table === "operations");
      return { ...done, writes: done.writes.filter(({ table }) => table !== "operations") };
    };
    const later = () => this.#options.store.transact("queue", "strict", collections, function* () { return { value: undefined, writes: rest }; });
    const { transact } = this.#options.store;
    const result = await transact.call(this.#options.store, "view", "strict", collections, script).then(async (value) => { await later(); return value; });
    await this.#options.store.transact(`,
    ),
    patch(
      "client/store/writer.ts",
      '      "strict",\n      collections,\n      script,\n',
      '      "strict",\n      collections,\n      function* () { return { value: result, writes: [] }; },\n',
    ),
  ),
  mutant(
    "told before it is stored",
    "S1",
    patch(
      "client/store/local-store.ts",
      "const value = await connection.transact({ tables, durability, label }, script).catch((error: unknown) => {",
      `const early = label === "local write" ? await connection.transact({ tables, durability: "relaxed", label: "guess" }, function* () { return { ...(yield* script()), writes: [] }; }) : undefined;
    const stored = connection.transact({ tables, durability, label }, script);
    if (early !== undefined) stored.catch(() => {});
    const value = await (early === undefined ? stored : Promise.resolve(early)).catch((error: unknown) => {`,
    ),
  ),
  mutant(
    "increment summed twice in the view",
    "S6",
    patch(
      "client/decide/replay.ts",
      "return view === undefined || delta === undefined ? view : { ...view, ...addDelta(view, delta) };",
      "return view === undefined || delta === undefined ? view : { ...view, ...addDelta({ ...view, ...addDelta(view, delta) }, delta) };",
    ),
  ),
  mutant(
    "increment forgotten in the view",
    "S6",
    patch(
      "client/decide/replay.ts",
      "return view === undefined || delta === undefined ? view : { ...view, ...addDelta(view, delta) };",
      "return view;",
    ),
  ),
  mutant(
    "a sale that is set aside vanishes from its till",
    "H5",
    patch(
      "client/state/operation.ts",
      'return operation.kind === "fact" && (state === "quarantined" || state === "rejected");',
      "return false;",
    ),
  ),
  mutant(
    "whoever creates a row again loses its counters in the view",
    "H4",
    patch(
      "client/decide/replay.ts",
      "return { ...edit.data, ...edit.zeros, ...pick(base, counters) };",
      "return { ...edit.data, ...edit.zeros };",
    ),
  ),
  mutant(
    "a till does not read what its other tab wrote",
    "S4",
    patch("client/tab/tab-channel.ts", "        void session.rereadAfter(message.collections);\n", ""),
    patch("client/tab/tab-channel.ts", "while (await rested()) await session.checkStore();", ""),
  ),
];
