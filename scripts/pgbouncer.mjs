/**
 * Finds a PgBouncer for the tests that need one, and starts it in front of a PostgreSQL. No registry of packages for
 * Node has its binaries, so it can't be brought: without it these tests don't run, and say so.
 */
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort, ordinaryUser } from "./postgres.mjs";

/** @typedef {"session" | "transaction"} PoolMode */
/** @typedef {{ url: (database: string) => string, stop: () => Promise<void> }} RunningPgbouncer */

/** For a person, if there is none. */
export const NO_PGBOUNCER = "no pgbouncer on PATH: install it (`apt-get install pgbouncer`)";

/** @returns {string | undefined} the path of the program */
export function findPgbouncer() {
  // Debian keeps it where only root's PATH leads.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/opt/homebrew/bin"];
  return folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
}

/**
 * @param {string} program
 * @returns {string} for a person
 */
export function describePgbouncer(program) {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return `${program} ${(stdout ?? "").split("\n")[0]}`;
}

/**
 * @param {string} program
 * @param {{ url: string, mode: PoolMode, settings?: Readonly<Record<string, string | number>> }} options `url`: a user with a
 *   password; `settings`: those of pgbouncer.ini
 * @returns {Promise<RunningPgbouncer>}
 */
export async function startPgbouncer(program, { url, mode, settings = {} }) {
  const server = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), "tillsync-pgbouncer-"));
  const user = ordinaryUser();
  const own = (/** @type {string} */ name, /** @type {string} */ text) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (user !== undefined) chownSync(path, user.uid, user.gid);
    return path;
  };
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const port = await freePort();
  const users = own("users", `"${decodeURIComponent(server.username)}" "${decodeURIComponent(server.password)}"\n`);
  const all = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "trust",
    auth_file: users,
    pool_mode: mode,
    max_client_conn: 500,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const databases = `[databases]\n* = host=${server.hostname} port=${server.port || 5432}\n`;
  const ini = own("pgbouncer.ini", `${databases}[pgbouncer]\n${lines.join("\n")}\n`);

  const child = spawn(program, [ini], { ...user, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise((resolve) => child.on("exit", resolve));
  const endAtOnce = () => child.kill("SIGKILL");
  process.on("exit", endAtOnce);
  const stop = async () => {
    endAtOnce();
    await exited;
    process.off("exit", endAtOnce);
    rmSync(folder, { recursive: true, force: true });
  };
  let said = "";
  try {
    await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`pgbouncer ended with ${code}: ${said}`)));
      child.stderr.setEncoding("utf8").on("data", (text) => {
        said = (said + text).slice(-10_000);
        if (/process up/.test(said)) resolve(undefined);
      });
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: (database) => `postgres://${server.username}@127.0.0.1:${port}/${database}`,
    stop,
  };
}
