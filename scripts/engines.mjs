/**
 * Finds Firefox and WebKit for the tests in test/browser/engines, or brings them. Unlike Chromium and PostgreSQL, not every
 * platform has them: WebKitGTK is for Linux, and a package of the distribution can be installed only by root. Where one can't
 * be had, `npm test` says so before and after the run, and the tests of that engine are skipped.
 *
 *   Firefox:  FIREFOX_PATH → on PATH or where the platform puts it → the distribution's package
 *   WebKit:   WebKitWebDriver, WebKitGTK for Python, and Xvfb → the distribution's packages
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The distribution's, which its packages are for: another one may come first on PATH. */
const PYTHON = "/usr/bin/python3";

/** @typedef {"firefox" | "webkit"} EngineName */
/** @typedef {{ path: string, version: string }} FoundEngine `path`: what is started; of WebKit, its driver */

/** @type {Readonly<Record<EngineName, { find: () => FoundEngine | undefined, packages: readonly string[] }>>} */
const engines = {
  firefox: { find: findFirefox, packages: ["firefox-esr"] },
  webkit: { find: findWebKit, packages: ["webkit2gtk-driver", "gir1.2-webkit2-4.1", "python3-gi", "xvfb"] },
};

/**
 * @param {EngineName} name
 * @returns {FoundEngine | undefined}
 */
export function findEngine(name) {
  return engines[name].find();
}

/**
 * @param {readonly EngineName[]} names
 * @returns {Map<EngineName, FoundEngine | string>} each engine, installed if need be, or why it can't be had
 */
export function bringEngines(names) {
  const missing = names.filter((name) => findEngine(name) === undefined);
  const reason = missing.length === 0 ? "" : installByApt(missing.flatMap((name) => engines[name].packages));
  return new Map(names.map((name) => [name, findEngine(name) ?? reason]));
}

function findFirefox() {
  const wished = process.env.FIREFOX_PATH;
  if (wished && !isExecutable(wished)) throw new Error(`FIREFOX_PATH is ${wished}, which is not an executable file`);
  const path =
    wished ||
    [onPath("firefox-esr"), onPath("firefox"), "/Applications/Firefox.app/Contents/MacOS/firefox"].find(isExecutable);
  return path === undefined ? undefined : { path, version: said(path, ["--version"]) || "Firefox (version unknown)" };
}

function findWebKit() {
  const path = onPath("WebKitWebDriver");
  if (path === undefined || onPath("Xvfb") === undefined || !isExecutable(PYTHON)) return undefined;
  const code =
    "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1'); from gi.repository import WebKit2 as w; " +
    "print('WebKitGTK %d.%d.%d' % (w.get_major_version(), w.get_minor_version(), w.get_micro_version()))";
  const version = said(PYTHON, ["-c", code]);
  return version === "" ? undefined : { path, version };
}

/**
 * @param {readonly string[]} packages
 * @returns {string} why they may still be missing
 */
function installByApt(packages) {
  if (!existsSync("/usr/bin/apt-get")) return "there is no apt-get here";
  if (process.getuid?.() !== 0) return `only root may install them: apt-get install ${packages.join(" ")}`;
  console.log(`engines: installing the distribution's ${packages.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    // Another installation may be under way on the machine.
    ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...packages],
  ]) {
    const { status, stdout, stderr, error } = spawnSync("apt-get", args, { env, encoding: "utf8" });
    if (status === 0) continue;
    const lines = `${stderr ?? ""}\n${stdout ?? ""}`.trim().split("\n");
    const reason = error?.message ?? lines.find((line) => line.startsWith("E:")) ?? lines[0];
    // A list that could not be renewed may be new enough.
    if (args[0] === "install") return `apt-get install failed: ${reason}`;
  }
  return "the distribution's packages have no such engine";
}

/** @param {string} name */
function onPath(name) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function said(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "";
}

/** @param {string | undefined} path */
function isExecutable(path) {
  try {
    if (path === undefined) return false;
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
