/** Runs before each test file of `npm run mutation`: properties without a seed of their own get one, so runs repeat. */
import fc from "fast-check";

fc.configureGlobal({ seed: 20_261_130 });
