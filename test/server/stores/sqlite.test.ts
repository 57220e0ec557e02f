import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-contract-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the contract, in a file", () => {
  let files = 0;
  for (const { name, run } of serverStoreContract()) {
    test(name, () =>
      run(async () => {
        const path = join(folder, `${++files}.sqlite`);
        const store = sqliteStore({ path });
        return { store, open: async () => sqliteStore({ path }), cleanup: () => store.close() };
      }),
    );
  }
});

describe("the contract, in memory", () => {
  for (const { name, run } of serverStoreContract({ persistent: false })) {
    test(name, () =>
      run(async () => {
        const store = sqliteStore({ path: ":memory:" });
        return { store, cleanup: () => store.close() };
      }),
    );
  }
});
