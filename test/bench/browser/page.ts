/** The page of the bench: what the host may call. */
import { catalogue } from "./catalogue.ts";
import { coldStart, fillForColdStart } from "./cold-start.ts";
import { growingQueue, growingRows } from "./growth.ts";
import { burst, drain, selling } from "./selling.ts";

const calls = { selling, burst, drain, catalogue, fillForColdStart, coldStart, growingRows, growingQueue };

export type Calls = typeof calls;

Object.assign(globalThis, { bench: calls });
