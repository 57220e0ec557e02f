import { expect, onTestFinished, test } from "vitest";
import { newDatabase } from "../support/postgres.ts";
import { ownPostgres, sharedPostgres } from "./databases.ts";
import { NOTHING, tortured } from "./support.ts";

test("two servers and the PostgreSQL under them are killed under load, and what the tills have saved is there once", async () => {
  const isOurs = process.env.PG_URL === undefined;
  const database = isOurs ? await ownPostgres() : sharedPostgres((await newDatabase()).url);
  onTestFinished(() => database.end());
  const result = await tortured({ database });
  expect(result.found, result.said).toEqual(NOTHING);
  expect(result.killed).toEqual(isOurs ? { server: 2, postgres: 1 } : { server: 3, postgres: 0 });
});
