/**
 * As much of Vitest as the *.browser.test.ts use, for a page that no Vitest drives: they are bundled with this in its place.
 * `window.runTests_()` runs them one after another, and returns what became of each.
 */
import {
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

type Work = () => unknown;
interface Suite {
  readonly name: string;
  readonly before: Work[];
  readonly after: Work[];
}
export interface Ended {
  readonly name: string;
  /** Absent: it has passed. */
  readonly error?: string | undefined;
}
declare global {
  interface Window {
    runTests_: () => Promise<readonly Ended[]>;
  }
}

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
const expect = chai.expect as unknown as Record<string, unknown> & Parameters<typeof setState>[1];
Object.assign(globalThis, { [GLOBAL_EXPECT]: expect });
setState({ assertionCalls: 0, isExpectingAssertions: false } as Parameters<typeof setState>[0], expect);
(chai.expect as unknown as { extend(expect: unknown, matchers: unknown): void }).extend(expect, customMatchers);

const tests: { readonly name: string; readonly suites: readonly Suite[]; readonly run: Work }[] = [];
let suites: readonly Suite[] = [{ name: "", before: [], after: [] }];
const innermost = () => suites.at(-1) as Suite;

function describe(name: string, body: () => void): void {
  const outer = suites;
  suites = [...suites, { name, before: [], after: [] }];
  body();
  suites = outer;
}
function test(name: string, run: Work): void {
  tests.push({ name: [...suites.slice(1).map((suite) => suite.name), name].join(" > "), suites, run });
}
const beforeEach = (work: Work) => void innermost().before.push(work);
const afterEach = (work: Work) => void innermost().after.push(work);

export { afterEach, beforeEach, describe, expect, test as it, test };

/** A test that hangs is told. */
const PATIENCE_MS = 60_000;
async function inTime(work: Work): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It has not ended in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  await Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

window.runTests_ = async () => {
  const ended: Ended[] = [];
  for (const { name, suites, run } of tests) {
    let error: string | undefined;
    const attempt = (work: Work) =>
      inTime(work).catch((thrown: Error) => {
        error ??= `${thrown.name}: ${thrown.message}\n${thrown.stack}`;
      });
    for (const suite of suites) for (const work of suite.before) await attempt(work);
    if (error === undefined) await attempt(run);
    for (const suite of [...suites].reverse()) for (const work of suite.after) await attempt(work);
    ended.push({ name, error });
  }
  return ended;
};
