/** The tests of `npm run mutation`: those of the Vitest project "node" in the folders that scripts/mutation.mjs names. */
import { defineConfig } from "vitest/config";
import { sourceAliases } from "./scripts/entries.mjs";

const { tests, leftOut, shared } = JSON.parse(
  process.env.MUTATION_TESTS ?? '{ "tests": ["test/schema"], "leftOut": [], "shared": false }',
) as { tests: string[]; leftOut: string[]; shared: boolean };

export default defineConfig({
  resolve: { alias: sourceAliases() },
  test: {
    watch: false,
    include: tests.map((folder) => `${folder}/**/*.test.ts`),
    exclude: ["test/**/*.browser.test.ts", "test/**/*.postgres.test.ts", ...leftOut],
    isolate: !shared,
    setupFiles: "scripts/mutation-setup.mjs",
    // A mutant that hangs is ended by Stryker, which knows how long its tests take without it.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
