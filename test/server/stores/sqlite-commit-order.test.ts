/** Writers pause between their position and their commit while a reader follows: a plain sequence loses rows so, the write lock does not (L4). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { type SyncSqliteDriver, sqliteStore } from "../../../src/server/sqlite/index.ts";
import { upTo } from "../../../src/server/testing/calls.ts";
import { feedOf, followed } from "./commit-order.ts";
import { openLibsql } from "./recording-driver.ts";

const WRITERS = ["a", "bb", "ccc"];
const EACH = 40;

const folder = mkdtempSync(join(tmpdir(), "tillsync-commit-order-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function runWriters(path: string): Promise<void> {
  const script = fileURLToPath(new URL("./pausing-writer.ts", import.meta.url));
  const ends = WRITERS.map(async (name) => {
    const args = ["--import", "tsx", script, path, name, String(EACH)];
    const [code] = await once(spawn(process.execPath, args, { stdio: "inherit" }), "exit");
    expect(code).toBe(0);
  });
  await Promise.all(ends);
}

test("a sequence: the reader passes by rows that are committed behind its back", () => {
  const path = join(folder, "naive.sqlite");
  const [reader, first, second] = [openLibsql(path), openLibsql(path), openLibsql(path)];
  reader.exec("pragma journal_mode = wal; create table sequence (last integer); insert into sequence values (0)");
  reader.exec("create table naive (position integer primary key)");
  const take = (writer: SyncSqliteDriver) =>
    (writer.prepare("update sequence set last = last + 1 returning last").all() as { last: number }[])[0]?.last;
  const write = (writer: SyncSqliteDriver, position = 0) =>
    writer.prepare("insert into naive (position) values (?)").run(position);
  const behind = reader.prepare("select position from naive where position > ? order by position");
  const read = (after: number) => (behind.all(after) as { position: number }[]).map(({ position }) => position);
  const [one, two] = [take(first), take(second)];
  write(second, two);
  const seen = read(0);
  write(first, one);
  expect([seen, read(2), read(0)]).toEqual([[2], [], [1, 2]]);
  for (const database of [reader, first, second]) database.close();
});

test("the write lock: the reader sees every row, in the order of the positions", async () => {
  const path = join(folder, "store.sqlite");
  const store = sqliteStore({ path });
  const feed = feedOf(store);
  const read = async (after: number) => {
    await turn();
    return feed(after);
  };
  expect(await followed(read, runWriters(path))).toEqual(upTo(WRITERS.length * EACH));
  await store.close();
});
