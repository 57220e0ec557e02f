import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromeArguments, findBrowser } from "./scripts/browser.mjs";
import { sourceAliases } from "./scripts/entries.mjs";

const alias = sourceAliases();

const browserTests = "test/**/*.browser.test.ts";
const postgresTests = "test/**/*.postgres.test.ts";
/** What takes minutes: other engines, kills, the worst bodies. `npm run test:long` runs them, `npm test` does not. */
const longTests = "test/**/*.long.test.ts";
/**
 * They leave nothing behind in a module, so the files of a worker share their modules: to load them anew for each file
 * took more than half of their time.
 */
const unitTests = [
  "client",
  "conflict",
  "protocol",
  "rules",
  "schema",
  "server/decide",
  "server/service",
  "shared",
  "testing",
].map((folder) => `test/${folder}/**/*.test.ts`);
const distTests = "test/package/dist/**/*.test.ts";
const executablePath = findBrowser();

/**
 * A test that hangs is ended; how fast a machine is does not matter. No test sets a shorter limit for itself: see
 * test/package/patience.test.ts.
 */
const patience = { testTimeout: 600_000, hookTimeout: 600_000, expect: { poll: { timeout: 120_000 } } };

export default defineConfig({
  test: {
    watch: false,
    maxWorkers: 2,
    projects: [
      {
        resolve: { alias },
        test: {
          ...patience,
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [...unitTests, browserTests, distTests, longTests, postgresTests],
        },
      },
      {
        resolve: { alias },
        test: {
          ...patience,
          name: "units",
          isolate: false,
          include: unitTests,
          exclude: [browserTests, longTests, postgresTests],
        },
      },
      { resolve: { alias }, test: { ...patience, name: "long", include: [longTests] } },
      {
        // Its global setup starts one PostgreSQL for all of them, and ends it.
        resolve: { alias },
        test: {
          ...patience,
          name: "postgres",
          include: [postgresTests],
          globalSetup: "test/support/postgres-setup.ts",
        },
      },
      {
        // What is published: its global setup builds dist where that is older than its sources.
        test: { ...patience, name: "dist", include: [distTests], globalSetup: "test/support/build.ts" },
      },
      {
        resolve: { alias },
        // Named, because a dependency that Vite discovers late reloads the page under a running test.
        optimizeDeps: { include: ["eventemitter3", "hono", "idb", "ky", "zod", "zod/mini"] },
        test: {
          ...patience,
          name: "browser",
          include: [browserTests],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: chromeArguments, ...(executablePath === undefined ? {} : { executablePath }) },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
