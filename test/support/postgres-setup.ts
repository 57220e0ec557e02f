/** Global setup of the tests that need PostgreSQL: one server for the whole run. */
import type { TestProject } from "vitest/node";
import { bringPostgres, startPostgres } from "../../scripts/postgres.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of a user who may create databases and roles. */
    postgres: string;
  }
}

/**
 * Nobody pulls the machine's plug, and a database that is made or dropped need not wait for the disk. What is written is
 * there after a process was killed all the same, because the operating system has it.
 */
const FAST = ["fsync=off", "full_page_writes=off"];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, version, stop } = await startPostgres(bringPostgres(), FAST);
  console.log(`postgres: ${version}`);
  project.provide("postgres", url);
  return stop;
}
