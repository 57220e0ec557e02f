/**
 * What Vitest runs in Chromium, in the other engines: the contract of the storage on their own IndexedDB, the adapter, and whole tills
 * with their server in the page. The same files, bundled with a small runner in Vitest's place.
 */
import { describe, expect, test } from "vitest";
import { root } from "../../../scripts/entries.mjs";
import { bundle, ShopServer } from "../support/shop-server.ts";
import { engines, launch, temporaryProfile } from "./engine.ts";

const FILES = ["test/storage/indexeddb.browser.test.ts", "test/client/till.browser.test.ts"];

describe.each(engines)("$name", ({ name, isHere }) => {
  test.skipIf(!isHere)(
    "keeps the contract of the storage, and runs whole tills",
    async () => {
      const aliases = { vitest: `${root}test/browser/engines/in-page/vitest.ts` };
      await using server = await ShopServer.start(await bundle(FILES, aliases));
      using profile = temporaryProfile();
      await using browser = await launch(name, { profile: profile.path });
      const tab = await browser.tab();
      await tab.goto(server.url);
      const ended = await tab.evaluate(() => window.runTests_());
      const failed = ended.filter(({ error }) => error !== undefined);
      expect(failed.map((one) => `${one.name}\n${one.error}`).join("\n\n")).toBe("");
      expect(ended.map((one) => one.name)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^indexedDB.* > /),
          expect.stringMatching(/^a sale made offline/),
        ]),
      );
      expect(ended.length).toBeGreaterThan(50);
    },
    300_000,
  );
});
