import { afterAll, beforeAll, describe, test } from "vitest";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";
import { newDatabase, newName, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await newDatabase();
});
afterAll(() => database.drop());

describe("the contract", () => {
  for (const { name, run } of serverStoreContract()) {
    test(name, () =>
      run(async () => {
        const options = { url: database.url, schema: newName("schema") };
        const store = postgresStore(options);
        return { store, open: async () => postgresStore(options), cleanup: () => store.close() };
      }),
    );
  }
});
