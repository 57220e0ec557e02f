/**
 * `node scripts/lock.mjs`: what the lock files leave open. Part of `npm run check`; CI runs it before `npm ci` too, since
 * after that the packages are already there. It imports nothing that has to be installed.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { root } from "./entries.mjs";

/**
 * @typedef {object} Locked
 * @property {string} [name] what is installed, where that is not what the folder is called
 * @property {string} [version]
 * @property {string} [resolved] where it is fetched from
 * @property {string} [integrity]
 * @property {boolean} [hasInstallScript]
 * @property {boolean} [dev] only the tools need it
 */
/** @typedef {{ packages: Readonly<Record<string, Locked>> }} Lock the root of the project is the entry "" */

/** The project's own, and that of the PostgreSQL which scripts/postgres.mjs installs. */
export const lockFiles = ["package-lock.json", "scripts/postgres/package-lock.json"];

/**
 * @param {string} path from the root
 * @returns {Lock}
 */
export function readLock(path) {
  return JSON.parse(readFileSync(root + path, "utf8"));
}

/**
 * @param {string} path "node_modules/a/node_modules/@b/c"
 * @returns {string} "@b/c"
 */
export function nameOf(path) {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/**
 * @param {Lock} lock
 * @param {Readonly<Record<string, boolean>>} [scripts] of each package with install scripts, whether they may run. If
 *   omitted, none is asked about: the packages are only ever installed with `--ignore-scripts`.
 * @returns {string[]} one for each fault, for a person
 */
export function lockFaults(lock, scripts) {
  return Object.entries(lock.packages).flatMap(([path, locked]) =>
    path === "" ? [] : faultsOf(path, locked, scripts).map((fault) => `${path}: ${fault}`),
  );
}

/**
 * @param {string} path
 * @param {Locked} locked
 * @param {Readonly<Record<string, boolean>> | undefined} scripts
 */
function faultsOf(path, { name, version, resolved, integrity, hasInstallScript }, scripts) {
  const faults = [];
  // Without it, npm takes the registry's word for what the package is, and does not say so.
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) {
    faults.push(`expected a sha512 as integrity, received ${integrity ?? "none"}`);
  }
  // Without it, npm asks the configured registry for this name and version: no entry can lead to git, to a folder, to another host.
  if (resolved !== undefined) faults.push(`is fetched from ${resolved}, not from the configured registry`);
  if (!/^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version ?? "")) {
    faults.push(`expected a version, received ${version ?? "none"}`);
  }
  if (name !== undefined) faults.push(`is another package, ${name}`);
  if (hasInstallScript && scripts !== undefined && scripts[nameOf(path)] !== false) {
    faults.push(`has install scripts, which "allowScripts" of package.json does not deny`);
  }
  return faults;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { allowScripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  for (const path of lockFiles) {
    const lock = readLock(path);
    const faults = lockFaults(lock, path === "package-lock.json" ? allowScripts : undefined);
    for (const fault of faults) console.log(`${path}: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
    else console.log(`${path}: ${Object.keys(lock.packages).length - 1} packages, each by version and sha512`);
  }
}
