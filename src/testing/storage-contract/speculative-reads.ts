/** The storage contract: speculative reads. A hint about the answer may save time, and never changes the outcome. */
import { readAll, type StorageConnection, type StorageRead, type StorageScript } from "../../client/ports/storage.ts";
import { check, checkEqual } from "../check.ts";
import { contractCase, one, put, STRICT, write } from "./kit.ts";

const speculative = (answer: "absent" | "unchanged", table: string, ...keys: string[]): readonly StorageRead[] => [
  { kind: "get", table, keys, speculate: answer },
];

function count(connection: StorageConnection): Promise<number> {
  return connection.transact(STRICT, function* (): StorageScript<number> {
    const [[value = 0]] = (yield* readAll(speculative("unchanged", "counters", "n"))) as [[number?]];
    return { value: value + 1, writes: [put("counters", "n", value + 1)] };
  });
}

/** Stores a sale, unless there is one. */
function sell(connection: StorageConnection, id: string, by: string): Promise<unknown> {
  return connection.transact(STRICT, function* (): StorageScript<unknown> {
    const [[found]] = (yield* readAll(speculative("absent", "sales", id))) as [[unknown]];
    return { value: found, writes: found === undefined ? [put("sales", id, by)] : [] };
  });
}

export const speculativeReads = [
  contractCase("a script sees what another connection has written since, whatever it speculated on", async (kit) => {
    const [one, other] = [await kit.open(), await kit.open()];
    const counted = [await count(one), await count(one), await count(other), await count(one), await count(other)];
    checkEqual(counted, [1, 2, 3, 4, 5], "the count after each script");
  }),

  contractCase("scripts that run at once on two connections each see the one before", async (kit) => {
    const connections = [await kit.open(), await kit.open()];
    await Promise.all(connections.map(count));
    const work = Array.from({ length: 40 }, (_, at) => count(connections[at % 2] as StorageConnection));
    const counted = await Promise.all(work);
    checkEqual(
      [...counted].sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, at) => at + 3),
      "the counts",
    );
  }),

  contractCase("a row that was expected to be absent is seen, and not overwritten", async (kit) => {
    const [here, there] = [await kit.open(), await kit.open()];
    checkEqual(await sell(here, "s1", "here"), undefined, "what was there before the first");
    await count(here);
    checkEqual(await sell(here, "s1", "again"), "here", "what the same connection finds");
    checkEqual(await sell(there, "s1", "there"), "here", "what another finds");
    checkEqual(await one(there, "sales", "s1"), "here", "the sale");
  }),

  contractCase("two scripts started together: the second sees the row that both expected to be absent", async (kit) => {
    const connection = await kit.open();
    await count(connection);
    const found = await Promise.all([sell(connection, "s1", "first"), sell(connection, "s1", "second")]);
    checkEqual(found, [undefined, "first"], "what each found");
    checkEqual(await one(connection, "sales", "s1"), "first", "the sale");
  }),

  contractCase("an error that a script throws because of a wrong guess is not reported", async (kit) => {
    const [here, there] = [await kit.open(), await kit.open()];
    const mustBeThere = function* (): StorageScript<number> {
      const [[value]] = (yield* readAll(speculative("unchanged", "counters", "n"))) as [[number?]];
      if (value === undefined) throw new RangeError("There is none.");
      return { value, writes: [] };
    };
    const thrown = await here.transact(STRICT, mustBeThere).catch((error: unknown) => error);
    check(thrown instanceof RangeError, "the error where there is none");
    await write(there, put("counters", "n", 7));
    checkEqual(await here.transact(STRICT, mustBeThere), 7, "the counter that another connection has made");
  }),

  contractCase("a deleted row is seen to be gone, whichever connection deleted it", async (kit) => {
    const [here, there] = [await kit.open(), await kit.open()];
    const gone = { kind: "delete", table: "counters", key: "n" } as const;
    await count(here);
    await write(here, gone);
    checkEqual(await count(here), 1, "the count after its own deletion");
    await write(there, gone);
    checkEqual(await count(here), 1, "the count after the other's");
  }),
];
