import { expect, test } from "vitest";
import { openStore, type ServerStore } from "../../src/server/index.ts";
import { memoryStore } from "../../src/server/memory/index.ts";
import { postgresStore } from "../../src/server/postgres/index.ts";
import { sqliteStore } from "../../src/server/sqlite/index.ts";

test("a store that can be opened is open afterwards", async () => {
  const store = memoryStore();
  await expect(openStore(store)).resolves.toBeUndefined();
});

test("what keeps a store from opening is an error with a code, before any request", async () => {
  const refused: readonly [ServerStore, RegExp][] = [
    [postgresStore({ url: "postgres://nobody:secret@127.0.0.1:1/shop" }), /127\.0\.0\.1:1\/shop could not be reached/],
    [postgresStore({ url: "postgres://%" }), /URL could not be read/],
    [sqliteStore({ path: "/nowhere/at/all/shop.sqlite" }), /./],
  ];
  for (const [store, message] of refused) {
    await expect(openStore(store)).rejects.toMatchObject({
      code: "storage_unavailable",
      message: expect.stringMatching(message),
    });
    await expect(openStore(store)).rejects.not.toMatchObject({ message: expect.stringContaining("secret") });
    await store.close();
  }
});

test("what is not a store is refused", async () => {
  await expect(openStore({} as never)).rejects.toMatchObject({ code: "invalid_option" });
});
