/** What `npm run audit` makes of the answers that npm gives: no registry is asked here. */
import { describe, expect, test } from "vitest";
import { describe as described, exitCode, judge } from "../../scripts/audit.mjs";

const isTool = (path: string) => path === "node_modules/tool";

const report = (severity: string, ...nodes: string[]) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: {
      leaky: {
        name: "leaky",
        severity,
        via: [{ title: "Leaks", url: "https://github.com/advisories/GHSA-1", severity }, "leakier"],
        nodes,
      },
    },
  });
const clean = JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} });
/** Abridged, as npm 11 prints it for a registry without the endpoint. */
const refused = JSON.stringify({
  message: "405 Method Not Allowed - POST https://registry.npmjs.org/-/npm/v1/security/advisories/bulk",
  statusCode: 405,
  error: { summary: "", detail: "" },
});

describe("an advisory fails the audit", () => {
  test.each([
    ["moderate, at run time", "moderate", ["node_modules/ky"], true],
    ["low, at run time", "low", ["node_modules/ky"], false],
    ["high, of a tool", "high", ["node_modules/tool"], true],
    ["moderate, of a tool", "moderate", ["node_modules/tool"], false],
    ["moderate, of a tool that is also needed at run time", "moderate", ["node_modules/tool", "node_modules/ky"], true],
    ["moderate, of a package that npm found nowhere", "moderate", [], true],
    ["of a severity that is not known", "dreadful", ["node_modules/tool"], true],
  ])("%s: %s", (_, severity, nodes, fails) => {
    expect(judge(report(severity, ...nodes), isTool)).toMatchObject({ audited: true, findings: [{ fails }] });
  });
});

test.each<[string, string, string]>([
  ["has no endpoint for advisories", refused, "405 Method Not Allowed"],
  ["answers in a form that is not known", JSON.stringify({ auditReportVersion: 3 }), "npm printed no report"],
  ["is not reached, and npm prints nothing", "", "npm printed no JSON"],
])("a registry that %s has not audited anything", (_, output, reason) => {
  expect(judge(output, isTool)).toEqual({ audited: false, reason: expect.stringContaining(reason) });
});

describe("the exit code", () => {
  const audited = judge(clean, isTool);
  const unknown = judge(refused, isTool);
  const bad = judge(report("critical", "node_modules/ky"), isTool);
  const harmless = judge(report("low", "node_modules/ky"), isTool);

  test.each([
    ["0 without advisories", [audited], 0],
    ["0 with advisories below the level", [harmless], 0],
    ["1 with one at the level", [audited, bad], 1],
    ["2 if a lock file was not audited", [audited, unknown], 2],
    ["1 if one is bad and another was not audited", [unknown, bad], 1],
  ])("is %s", (_, verdicts, code) => {
    expect(exitCode(verdicts)).toBe(code);
  });
});

test("it is said that nothing was audited, and why", () => {
  expect(described("package-lock.json", judge(refused, isTool))[0]).toMatch(/NOT AUDITED.*405 Method Not Allowed/);
});

test("each advisory is named with its address, the failing ones marked", () => {
  expect(described("package-lock.json", judge(report("high", "node_modules/ky"), isTool)).slice(1)).toEqual([
    "  ✗ high, run time: leaky",
    "      Leaks https://github.com/advisories/GHSA-1",
    "      through leakier",
  ]);
});
