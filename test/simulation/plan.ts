/** What will happen in a run, drawn from its seed: plain data, so that it can be cut down, kept and carried out again. */
import { commands } from "./commands/index.ts";
import { Draw } from "./engine/draw.ts";
import { faults } from "./faults/index.ts";
import { lies } from "./lies/index.ts";

export interface PlannedCommand {
  readonly at: number;
  readonly till: number;
  readonly kind: string;
  /** Seed of whatever else is drawn for it. */
  readonly draw: number;
}
export type PlannedFault = PlannedCommand;
export interface PlannedLie {
  readonly at: number;
  readonly kind: string;
  readonly draw: number;
}

export interface PlanOptions {
  readonly tills: number;
  readonly durationMs: number;
  /** How likely a till has a second tab. */
  readonly secondTab: number;
  /** How likely it has no Web Locks. */
  readonly leases: number;
  readonly diskMs: number;
  /** Operations in a push, at most. */
  readonly batch: number;
  // What follows is missing in plans that were kept before it was there.
  /** Pages, steps and windows hold a few rows only (limits.ts). */
  readonly small?: boolean | undefined;
  /** So many products beside those that are sold: more than any page or step holds. */
  readonly catalogue?: number | undefined;
  /** The channel for pokes: not asked for, there, or asked for and not there. */
  readonly live?: "off" | "on" | "missing" | undefined;
  /** The client's own intervals, instead of short ones. */
  readonly defaults?: boolean | undefined;
  /** How likely somebody watches lists and records in a tab. */
  readonly watches?: number | undefined;
  /** Apps and servers are updated and rolled back (versions.ts). */
  readonly versions?: boolean | undefined;
  /** Goods come and go in bulk, so that counters reach their bounds. */
  readonly bulk?: boolean | undefined;
}

/** The n-th time that the first till, or the server, is at such a point of its work. */
export interface CrashPoint {
  readonly where:
    | "disk_before"
    | "disk_after"
    | "request_before"
    | "answer_after"
    | "server_begin"
    | "server_commit"
    | "server_answer";
  readonly count: number;
}

export interface Plan {
  readonly seed: number;
  readonly options: PlanOptions;
  readonly commands: readonly PlannedCommand[];
  readonly faults: readonly PlannedFault[];
  /** A liar is among the tills, and says this. Missing: there is none. */
  readonly lies?: readonly PlannedLie[] | undefined;
  /** It goes down there, once. */
  readonly crash?: CrashPoint | undefined;
}

/** More than a page of rows, and than a step of whatever goes through all of them. */
const CATALOGUE = 700;
/** Few kinds of fault in each run, but those often: all of them at once hide each other. */
const SHARE_OF_FAULTS = [0.1, 0.25, 0.5];

export function planOf(seed: number): Plan {
  const draw = new Draw(seed, "plan");
  const durationMs = draw.int(20, 120) * 1_000;
  const options: PlanOptions = {
    tills: draw.int(2, 4),
    durationMs,
    secondTab: draw.pick([0, 0.3, 0.8]),
    leases: draw.pick([0, 0, 0.5]),
    diskMs: draw.pick([0, 0, 2, 40]),
    batch: draw.pick([1, 3, 20, 200]),
    ...widthOf(new Draw(seed, "width")),
  };
  const share = draw.pick(SHARE_OF_FAULTS);
  const drawn = faults.filter(({ weight }) => weight > 0);
  const chosen = drawn.filter(({ needs }) => draw.chance(needs ? 0.7 : share) && (needs?.(options) ?? true));
  const favoured = commands
    .filter(({ needs }) => needs?.(options) ?? true)
    .map((command) => ({ ...command, weight: command.weight * draw.pick([0.3, 1, 3]) }));
  const event = (kind: string): PlannedCommand => ({
    at: draw.int(500, durationMs),
    till: draw.int(0, 11),
    kind,
    draw: draw.seed(),
  });
  const lying = lyingIn(new Draw(seed, "lies"), durationMs);
  return {
    seed,
    options,
    ...(lying && { lies: lying.lies }),
    commands: Array.from({ length: draw.int(15, 60) }, () => event(draw.weighted(favoured).kind)).sort(byTime),
    faults: [
      ...(chosen.length === 0 ? [] : Array.from({ length: draw.int(3, 30) }, () => event(draw.weighted(chosen).kind))),
      ...(lying?.faults ?? []),
    ].sort(byTime),
  };
}

/**
 * A liar, in one of four shops. Some lies are about a history that is lost, so its shop is restored more often than others. In some of them
 * it is found out before the end.
 */
function lyingIn(draw: Draw, durationMs: number) {
  if (!draw.chance(0.25)) return undefined;
  const event = (kind: string) => ({ at: draw.int(500, durationMs), kind, draw: draw.seed() });
  const favoured = lies
    .filter(({ weight }) => weight > 0)
    .map((lie) => ({ ...lie, weight: lie.weight * draw.pick([0.3, 1, 3]) }));
  const restores = draw.pick([0, 0, 1, 2]);
  const told = Array.from({ length: draw.int(10, 60) }, () => event(draw.weighted(favoured).kind));
  const struck = Array.from({ length: restores }, () => event(draw.pick(["restore", "restore_announced"])));
  if (draw.chance(0.5)) {
    const found = event("liar_revoked");
    struck.push(found);
    if (draw.chance(0.4)) told.push({ ...event("flood"), at: draw.int(found.at, durationMs) });
  }
  return {
    lies: told.sort((a, b) => a.at - b.at),
    faults: struck.map((fault) => ({ ...fault, till: 0 })),
  };
}

/** A large shop is rare, since it takes its time; small limits make the same pages and steps full in any. */
function widthOf(draw: Draw) {
  const isLarge = draw.chance(0.03);
  return {
    small: draw.chance(0.4) && !isLarge,
    catalogue: isLarge ? CATALOGUE : 0,
    live: draw.pick(["off", "on", "on", "missing"] as const),
    defaults: draw.chance(0.2),
    watches: draw.pick([0, 0.5, 1]),
    versions: new Draw(draw.of, "versions").chance(0.35),
    bulk: new Draw(draw.of, "bulk").chance(0.35),
  };
}

const byTime = (a: PlannedCommand, b: PlannedCommand) => a.at - b.at;
