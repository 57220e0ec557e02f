/** The first of many seeds if no person names one: other seeds in each run, so the same few are not run again and again. */
import { randomInt } from "node:crypto";

/** As large as the seeds that a plan draws for its events. */
const SEEDS = 2 ** 31;

export const drawnSeed = () => randomInt(1, SEEDS);
