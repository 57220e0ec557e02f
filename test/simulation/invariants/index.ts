/** Everything that must hold. */
import { accounted } from "./accounted.ts";
import { bounded } from "./bounded.ts";
import { converged } from "./converged.ts";
import { effects } from "./effects.ts";
import { history } from "./history.ts";
import type { Invariant } from "./invariant.ts";
import { labels } from "./labels.ts";
import { lies } from "./lies.ts";
import { order } from "./order.ts";
import { quiet } from "./quiet.ts";
import { revoked } from "./revoked.ts";
import { stored } from "./stored.ts";
import { taken } from "./taken.ts";
import { told } from "./told.ts";

export const invariants: readonly Invariant[] = [
  stored,
  accounted,
  labels,
  effects,
  bounded,
  converged,
  order,
  history,
  revoked,
  told,
  quiet,
  lies,
  taken,
];
