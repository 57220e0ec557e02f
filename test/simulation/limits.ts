/**
 * Pages, steps and windows that are small enough to be full in a small shop. Where the production code has a number, the bundle has a
 * variable (as for a planted bug, by its text: there is no switch in src), and each run says which it wants.
 */
import { LIMITS } from "../../src/protocol/constants.ts";
import type { Patch } from "./bundle.ts";

interface Limit {
  readonly file: string;
  readonly name: string;
  /** As it is in the source. */
  readonly value: string;
  readonly small: number;
}

const limits: readonly Limit[] = [
  { file: "src/client/sync/pull.ts", name: "PULL_LIMIT", value: "500", small: 3 },
  { file: "src/client/sync/pull.ts", name: "FIRST_PULL_LIMIT", value: "LIMITS.pullChanges", small: 4 },
  { file: "src/client/scripts/upkeep.ts", name: "SWEPT_PER_STEP", value: "500", small: 3 },
  { file: "src/protocol/chain.ts", name: "CHAIN_IDS", value: "LIMITS.transactionOperations", small: 2 },
  { file: "src/server/service/desk-page.ts", name: "PAGE_ROWS", value: "100", small: 3 },
  { file: "src/server/service/desk-page.ts", name: "ROWS_PER_READ", value: "20", small: 2 },
];

type Setter = (isSmall: boolean) => void;
const setters = () => {
  const place = globalThis as { simulatedLimits?: Setter[] };
  place.simulatedLimits ??= [];
  return place.simulatedLimits;
};

/** What the bundle reads in place of each of them. */
export const limitPatches: readonly Patch[] = limits.map(({ file, name, value, small }) => ({
  file,
  find: `\nconst ${name} = ${value};`,
  replace: `
let ${name} = ${value};
(globalThis.simulatedLimits ??= []).push((isSmall) => { ${name} = isSmall ? ${small} : ${value}; });`,
}));

const { resultsPerAnswer } = LIMITS;
/** Beside those of a push's own operations, which all have to fit. */
const FOREIGN_RESULTS = 3;

/** @param batch operations in a push, at most */
export function lowerLimits(isSmall: boolean, batch: number): void {
  for (const set of setters()) set(isSmall);
  Object.assign(LIMITS, { resultsPerAnswer: isSmall ? batch + FOREIGN_RESULTS : resultsPerAnswer });
}
