/** The tests of `npm run mutation`: those of the Vitest project "node" in the folders that scripts/mutation.mjs names. */
import { defineConfig } from "vitest/config";
import { sourceAliases } from "./scripts/entries.mjs";

const folders = (process.env.MUTATION_TESTS ?? "test/schema").split(",");

export default defineConfig({
  resolve: { alias: sourceAliases() },
  test: {
    watch: false,
    include: folders.map((folder) => `${folder}/**/*.test.ts`),
    exclude: ["test/**/*.browser.test.ts", "test/**/*.postgres.test.ts"],
    setupFiles: "scripts/mutation-setup.mjs",
    // A mutant that hangs is ended by Stryker, which knows how long its tests take without it.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
