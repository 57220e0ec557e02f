/**
 * `npm run audit`: asks the configured registry for known advisories about what the lock files name. Needs the network, so
 * it is no part of `npm run check`: CI runs it when a lock file changes and once a week, and the release workflow before
 * it publishes.
 *
 * Exit code 0: no advisory at or above the level. 1: at least one. 2: the registry did not answer the question, so nothing is known.
 */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./entries.mjs";
import { lockFiles, readLock } from "./lock.mjs";
import { npm } from "./npm.mjs";

const severities = /** @type {const} */ (["info", "low", "moderate", "high", "critical"]);
/** @typedef {typeof severities[number]} Severity */

/**
 * From which severity on an advisory fails the audit. Tills load what is needed at run time. The tools run on machines of
 * contributors and of CI, on input that we wrote: most of what is reported about them is a regular expression that can be slow.
 * @type {Readonly<Record<"run time" | "tool", Severity>>}
 */
export const levels = { "run time": "moderate", tool: "high" };

/**
 * @typedef {object} Finding
 * @property {string} name
 * @property {Severity} severity
 * @property {keyof typeof levels} use
 * @property {boolean} fails whether it is at or above the level of its use
 * @property {string[]} reasons a title and an address for each advisory, or through which packages it is affected
 */
/** @typedef {{ audited: true, findings: Finding[] } | { audited: false, reason: string }} Verdict */

/**
 * @param {string} output of `npm audit --json`
 * @param {(path: string) => boolean} isTool whether the entry of the lock file is needed by the tools alone
 * @returns {Verdict}
 */
export function judge(output, isTool) {
  const answer = parsed(output);
  if (answer === undefined) return { audited: false, reason: "npm printed no JSON" };
  // A registry without the endpoint: npm prints what the request failed with. A report of another form may mean anything.
  if (answer.auditReportVersion !== 2 || typeof answer.vulnerabilities !== "object") {
    return { audited: false, reason: String(answer.message ?? answer.error?.summary ?? "npm printed no report") };
  }
  const findings = Object.values(answer.vulnerabilities).map(({ name, severity, via, nodes }) => {
    /** @type {keyof typeof levels} */
    const use = nodes.length > 0 && nodes.every(isTool) ? "tool" : "run time";
    return {
      name,
      severity,
      use,
      fails: rank(severity) >= rank(levels[use]),
      reasons: via.map((reason) =>
        typeof reason === "string" ? `through ${reason}` : `${reason.title} ${reason.url}`,
      ),
    };
  });
  return { audited: true, findings: findings.sort((a, b) => rank(b.severity) - rank(a.severity)) };
}

/**
 * A severity that we don't know counts as the worst.
 * @param {Severity} severity
 */
function rank(severity) {
  const index = severities.indexOf(severity);
  return index === -1 ? severities.length : index;
}

/**
 * @typedef {object} Report
 * @property {number} [auditReportVersion]
 * @property {Readonly<Record<string, { name: string, severity: Severity, via: (string | { title: string, url: string })[], nodes: string[] }>>} vulnerabilities
 * @property {string} [message]
 * @property {{ summary?: string }} [error]
 */

/**
 * @param {string} output
 * @returns {Report | undefined}
 */
function parsed(output) {
  try {
    const value = JSON.parse(output);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {readonly Verdict[]} verdicts one for each lock file
 * @returns {0 | 1 | 2} what is known to be bad comes before what is not known
 */
export function exitCode(verdicts) {
  if (verdicts.some((verdict) => verdict.audited && verdict.findings.some(({ fails }) => fails))) return 1;
  return verdicts.every(({ audited }) => audited) ? 0 : 2;
}

/**
 * @param {string} path of the lock file
 * @param {Verdict} verdict
 * @returns {string[]} lines for a person
 */
export function describe(path, verdict) {
  if (!verdict.audited) {
    return [
      `${path}: NOT AUDITED. Nothing is known about these packages, since the registry gave no report: ${verdict.reason}`,
    ];
  }
  const failing = verdict.findings.filter(({ fails }) => fails).length;
  return [
    `${path}: ${verdict.findings.length} packages with known advisories, ${failing} at or above the level that fails ` +
      `(${levels["run time"]} at run time, ${levels.tool} of a tool)`,
    ...verdict.findings.flatMap(({ name, severity, use, fails, reasons }) => [
      `  ${fails ? "✗" : "·"} ${severity}, ${use}: ${name}`,
      ...reasons.map((reason) => `      ${reason}`),
    ]),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  // Whatever a setting or NODE_ENV leaves out of an installation.
  const everything = ["dev", "optional", "peer"].map((type) => `--include=${type}`);
  const verdicts = lockFiles.map((path) => {
    const { packages } = readLock(path);
    // Nothing of the tests' PostgreSQL is published.
    const isTool = (/** @type {string} */ node) => path !== "package-lock.json" || packages[node]?.dev === true;
    const { stdout, error } = npm(["audit", "--json", "--package-lock-only", ...everything], join(root, dirname(path)));
    /** @type {Verdict} */
    const verdict = error === undefined ? judge(stdout, isTool) : { audited: false, reason: error.message };
    for (const line of describe(path, verdict)) console.log(line);
    return verdict;
  });
  process.exitCode = exitCode(verdicts);
  if (process.exitCode === 2) console.log("Another registry is asked with `npm run audit --registry <its address>`.");
}
