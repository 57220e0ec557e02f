/** Runs npm: the one that runs us, if it does, otherwise that of PATH. */
import { spawnSync } from "node:child_process";

/**
 * @param {readonly string[]} parameters
 * @param {string} cwd
 * @returns {{ status: number | null, stdout: string, stderr: string, error?: Error }}
 */
export function npm(parameters, cwd) {
  const cli = process.env.npm_execpath;
  const [command, ...before] = cli?.endsWith(".js") ? [process.execPath, cli] : ["npm"];
  return spawnSync(command ?? "npm", [...before, ...parameters], {
    cwd,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // There, npm is a script of the shell.
    shell: before.length === 0 && process.platform === "win32",
  });
}
