/** One run: a plan, carried out in virtual time, and what was wrong at its end. */
import { commandOf } from "./commands/index.ts";
import { Draw } from "./engine/draw.ts";
import { newTimeline } from "./engine/platform.ts";
import type { Timeline } from "./engine/timeline.ts";
import { Trace } from "./engine/trace.ts";
import { faultOf } from "./faults/index.ts";
import { isSettled, tidy, waitingMoney } from "./healing.ts";
import { invariants } from "./invariants/index.ts";
import { disagreements } from "./invariants/stored.ts";
import { Liar } from "./machines/liar.ts";
import { Machine } from "./machines/machine.ts";
import { isServerDown, Server } from "./machines/server.ts";
import { Model } from "./model.ts";
import type { CrashPoint, Plan, PlannedCommand, PlannedFault } from "./plan.ts";
import { probe } from "./probing.ts";

export interface Violation {
  /** As docs/reliability.md names them: S1 to S18 and V1 to V5. */
  readonly invariant: string;
  readonly what: string;
  readonly at: number;
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly digest: string;
  readonly operations: number;
  /** By kind: how often a fault befell something. */
  readonly hits: Readonly<Record<string, number>>;
  readonly states: readonly string[];
  /** By kind: how often a liar has lied; absent where there was none. */
  readonly lies?: Readonly<Record<string, number>> | undefined;
  /** How often the work was at each point where it could have crashed. */
  readonly reached: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly lines: readonly string[];
}

/** After the faults: everything must have drained and agree by then. */
const PATIENCE_MS = 15 * 60_000;
/** A blocked one is sent again each minute, and the first tries may meet a backoff. */
const MONEY_MS = 8 * 60_000;
const LOOK_MS = 5_000;
/** People look at their desks less often than that. */
const LOOKS_PER_TIDYING = 3;
const WIRE_LIMIT = 3;

export class SimWorld {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly server: Server;
  readonly model: Model;
  readonly machines: Machine[] = [];
  /** In some plans. */
  readonly liar: Liar | undefined;
  readonly violations: Violation[] = [];
  readonly hits: Record<string, number> = {};
  readonly reached: Record<string, number> = {};
  isHealing = false;
  /** How long the shop was shut: machines and server slept, and only their clocks went on. */
  shutMs = 0;
  /** The shop has been filled; from now on anything may end. */
  #isOpen = false;

  constructor(plan: Plan, keepsTrace: boolean) {
    this.plan = plan;
    this.timeline = newTimeline();
    this.trace = new Trace(this.timeline, keepsTrace);
    this.model = new Model(this);
    this.server = new Server(this, plan.seed);
    this.liar = plan.lies === undefined ? undefined : new Liar(this);
  }

  violation(invariant: string, what: string): void {
    if (this.violations.length >= WIRE_LIMIT * 10) return;
    this.violations.push({ invariant, what, at: this.timeline.now });
    this.trace.say("VIOLATION", `${invariant}: ${what}`);
  }

  /** Counts how often the work was at this point; `true` where it is to end there. */
  reaches(where: CrashPoint["where"]): boolean {
    // Not while all is being put right and looked at: whoever looks would see a till that is down.
    if (!this.#isOpen || this.isHealing) return false;
    const count = (this.reached[where] ?? 0) + 1;
    this.reached[where] = count;
    const { crash } = this.plan;
    return crash?.where === where && crash.count === count;
  }

  hit(fault: string): void {
    this.hits[fault] = (this.hits[fault] ?? 0) + 1;
  }

  addMachine(name: string, deviceId = name): Machine {
    const draw = new Draw(this.plan.seed, `options of ${name}`);
    const { options } = this.plan;
    const machine = new Machine(this, {
      name,
      deviceId,
      turns: draw.chance(options.leases) ? "leases" : "locks",
      tabs: draw.chance(options.secondTab) ? 2 : 1,
      seed: draw.seed(),
      diskMs: options.diskMs,
    });
    this.machines.push(machine);
    return machine;
  }

  async run(): Promise<Outcome> {
    const { plan, timeline } = this;
    await this.server.seed();
    this.#isOpen = true;
    for (let at = 1; at <= plan.options.tills; at++) {
      const machine = this.addMachine(`till-${at}`);
      timeline.at(at * 300, () => machine.start());
    }
    for (const command of plan.commands) timeline.at(command.at, () => void this.#command(command));
    for (const fault of plan.faults) timeline.at(fault.at, () => void this.#fault(fault));
    const { liar } = this;
    for (const lie of liar ? (plan.lies ?? []) : [])
      timeline.at(lie.at, () => void liar?.tell(lie).catch((error) => timeline.fail(error)));
    await timeline.runUntil(plan.options.durationMs, () => this.violations.length > 0);
    if (this.violations.length === 0) await this.#heal();
    for (const { line } of this.machines) line.speedUp();
    if (this.violations.length === 0) await probe(this);
    if (this.violations.length === 0)
      for (const { check } of invariants) await timeline.during(Promise.resolve(check(this)));
    for (const machine of this.machines) for (const tab of [...machine.tabs]) machine.crashTab(tab);
    return {
      seed: plan.seed,
      violations: this.violations,
      digest: this.trace.digest(),
      operations: this.model.operations.size,
      hits: this.hits,
      states: [...this.model.states],
      lies: this.liar?.told,
      reached: this.reached,
      virtualMs: timeline.now,
      lines: this.trace.lines,
    };
  }

  /** Faults stop. Whoever can be asked puts right what only people can; then everything must come to rest. */
  async #heal(): Promise<void> {
    this.isHealing = true;
    this.trace.say("world", "heals");
    this.server.up();
    for (const machine of this.machines) machine.heal();
    await this.#moneyFirst();
    if (this.violations.length > 0) return;
    const end = this.timeline.now + PATIENCE_MS;
    for (let looks = 1; this.timeline.now < end; looks++) {
      await this.timeline.runUntil(this.timeline.now + LOOK_MS, () => this.violations.length > 0);
      if (this.violations.length > 0) return;
      if (await this.timeline.during(isSettled(this))) return;
      if (looks % LOOKS_PER_TIDYING === 0) void tidy(this, looks === LOOKS_PER_TIDYING);
    }
    const open = await this.timeline.during(isSettled(this, true));
    this.violation("V1", `not settled after ${PATIENCE_MS / 60_000} minutes: ${JSON.stringify(open)}`);
  }

  /** Before anybody has settled anything: sales wait for no person (L11). */
  async #moneyFirst(): Promise<void> {
    const end = this.timeline.now + MONEY_MS;
    let waiting = waitingMoney(this);
    while (waiting.length > 0 && this.timeline.now < end) {
      await this.timeline.runUntil(this.timeline.now + LOOK_MS, () => this.violations.length > 0);
      if (this.violations.length > 0) return;
      waiting = waitingMoney(this);
    }
    for (const machine of this.machines) machine.line.poison = undefined;
    if (waiting.length > 0) this.violation("V2", `waits after ${MONEY_MS / 60_000} minutes: ${waiting.slice(0, 5)}`);
  }

  async #command({ till, kind, draw }: PlannedCommand): Promise<void> {
    const machine = this.machines[till % this.machines.length];
    const tabs = machine?.tabs.filter(({ state }) => state === "alive") ?? [];
    if (machine === undefined || tabs.length === 0) return;
    const dice = new Draw(draw, kind);
    const tab = dice.pick(tabs);
    this.trace.say(machine.name, `${tab.name} ${kind}`);
    try {
      const said = await commandOf(kind).run({ world: this, machine, tab, draw: dice });
      this.trace.say(machine.name, `${tab.name} ${kind}: ${said}`);
      for (const fault of disagreements(machine)) this.violation("S7", fault);
    } catch (error) {
      const { code = "", message } = error as { code?: string; message: string };
      this.trace.say(machine.name, `${tab.name} ${kind} refused: ${code} ${message}`);
      if (!EXPECTED.test(code))
        this.violation("S12", `${tab.name} ${kind} failed with ${code || "no code"}: ${message}`);
    }
  }

  async #fault({ till, kind, draw }: PlannedFault): Promise<void> {
    const machine = this.machines[till % this.machines.length];
    if (machine === undefined || this.isHealing) return;
    const dice = new Draw(draw, kind);
    this.trace.say(machine.name, `fault ${kind}`);
    try {
      await faultOf(kind).strike({ world: this, machine, draw: dice, hit: () => this.hit(kind) });
    } catch (error) {
      if (isServerDown(error)) this.trace.say("server", "it went down before that was done");
      else this.timeline.fail(error);
    }
  }
}

/** What a caller may be told when the platform fails, or when somebody was there before. */
const EXPECTED =
  /^(storage_|not_found|already_exists|client_closed|validation_failed|transaction_contended|operation_not_rejected|conflict_settled|unsynced_work|schema_newer|unknown_collection)/;
