/**
 * Finds a Chromium for the browser tests, or brings one: these tests are never skipped.
 *
 *   CHROME_PATH → a browser on PATH or where the platform puts it → the one Playwright has downloaded before
 *     → Playwright's download → the distribution's package, where we may install one → an error that says what to do
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright";
import { root } from "./entries.mjs";

/** Works as root and in a container, and asks nothing of the network but what a test asks for. */
export const chromeArguments = [
  "--no-sandbox",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-gpu",
];

const names = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge"];
/** @type {Partial<Record<NodeJS.Platform, string[]>>} */
const usualPlaces = {
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ],
  win32: [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA].flatMap((base) =>
    base === undefined
      ? []
      : [join(base, "Google/Chrome/Application/chrome.exe"), join(base, "Microsoft/Edge/Application/msedge.exe")],
  ),
};

/** @returns {string | undefined} the path of a browser that is already here */
export function findBrowser() {
  const wished = process.env.CHROME_PATH;
  if (wished) {
    if (!isExecutable(wished)) throw new Error(`CHROME_PATH is ${wished}, which is not an executable file`);
    return wished;
  }
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...onPath, ...(usualPlaces[process.platform] ?? []), chromium.executablePath()].find(isExecutable);
}

/** @returns {string} the path of a browser, installed if need be */
export function bringBrowser() {
  for (const install of [downloadByPlaywright, installByApt]) {
    const found = findBrowser();
    if (found !== undefined) return found;
    install();
  }
  const found = findBrowser();
  if (found !== undefined) return found;
  throw new Error(
    "No Chromium found, and none could be installed. Install Chrome, Chromium or Edge, or set CHROME_PATH to its executable.",
  );
}

/** @param {string} path */
export function browserVersion(path) {
  const { status, stdout } = spawnSync(path, ["--version", "--no-sandbox"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "(version unknown)";
}

function downloadByPlaywright() {
  console.log("browser: none found, asking Playwright for one");
  run(process.execPath, [join(root, "node_modules/playwright/cli.js"), "install", "chromium"], {});
}

function installByApt() {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.log("browser: none found, installing the distribution's chromium");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env });
}

/**
 * A failed way is not the end: it says why, and the next one is tried.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} options
 */
function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status === 0) return;
  const lines = `${stderr ?? ""}\n${stdout ?? ""}`.trim().split("\n");
  const reason = error?.message ?? lines.find((line) => /error|failed|^E:/i.test(line)) ?? lines[0];
  console.log(`browser: \`${[command, ...args].join(" ")}\` failed: ${reason}`);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
