/** Runs before each test file of `npm run mutation`. */
import fc from "fast-check";

// Properties without a seed of their own get one, so runs repeat.
fc.configureGlobal({ seed: 20_261_130 });

// Where files share their modules, Stryker's change is still there from the file before. It makes it again before the
// first test: only what is loaded until then is loaded without it, as it is where files share nothing.
const { __stryker__: stryker } = /** @type {{ __stryker__?: { activeMutant?: string | undefined } }} */ (globalThis);
if (stryker && JSON.parse(process.env.MUTATION_TESTS ?? "{}").shared) stryker.activeMutant = undefined;
