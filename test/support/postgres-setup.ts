/** Global setup of the tests that need PostgreSQL: one server for the whole run. */
import type { TestProject } from "vitest/node";
import { bringPostgres, startPostgres } from "../../scripts/postgres.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of a user who may create databases and roles. */
    postgres: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, version, stop } = await startPostgres(bringPostgres());
  console.log(`postgres: ${version}`);
  project.provide("postgres", url);
  return stop;
}
