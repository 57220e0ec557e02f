/** A till as a machine: a disk, a browser with tabs, a clock that may be wrong, a line to the server. */

import { createSyncClient, http } from "tillsync";
import { type MemoryAdapter, type MemorySnapshot, memory } from "tillsync/storage/memory";
import { IDENTITY, type Identity, QUEUE, type QueueState } from "../../../src/client/state/meta.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredRow } from "../../../src/client/state/rows.ts";
import { META, OPERATIONS } from "../../../src/client/state/tables.ts";
import { type FlatOperation, flat } from "../../support/flat-operation.ts";
import { Draw } from "../engine/draw.ts";
import { platform } from "../engine/platform.ts";
import { down, mislabelled, NEWEST, plainOperation, shopOf, type Version } from "../versions.ts";
import type { SimWorld } from "../world.ts";
import { Browser } from "./browser.ts";
import { diskOf, type StepFault } from "./disk.ts";
import type { Seen } from "./seen.ts";
import { branchOf } from "./server.ts";
import { SimLine } from "./sim-line.ts";
import { speaking } from "./speaking.ts";
import { Tab } from "./tab.ts";
import { Watched } from "./watched.ts";

const ROBBED_MS = 14_000;
const REOPEN_MS = 5_000;
const START = Date.UTC(2026, 10, 20, 8);

export interface MachineOptions {
  readonly name: string;
  /** Of the device: a clone has that of its original. */
  readonly deviceId: string;
  readonly turns: "locks" | "leases";
  readonly tabs: number;
  readonly seed: number;
  /** Ms that a step of the disk takes at most. */
  readonly diskMs: number;
}

export class Machine {
  readonly world: SimWorld;
  readonly name: string;
  readonly deviceId: string;
  readonly turns: "locks" | "leases";
  readonly storeName = "till";
  readonly browser = new Browser();
  readonly line: SimLine;
  readonly draw: Draw;
  disk: MemoryAdapter;
  tabs: Tab[] = [];
  /** The tab that took the turn last. */
  holder: Tab | undefined;
  wallOffsetMs = 0;
  sleptMs = 0;
  isFull = false;
  isSignedOut = false;
  /** Whoever issues the tokens does not answer. */
  areTokensOut = false;
  steps = 0;
  /** The version of the app that its next tabs have. */
  app: Version = 1;
  /** Of each row the version that it has taken last. */
  readonly heights = new Map<string, { readonly version: number; readonly generation: number }>();
  /** Of the disk: another one after it was lost. */
  life = 1;
  readonly #options: MachineOptions;
  readonly #markers = new Map<string, string>();
  /** Something was stored since a marker was taken away: there must be one. */
  #isMarked = false;
  readonly #armed: { readonly name: string; readonly fault: StepFault; left: number }[] = [];
  readonly #armedOf: { readonly name: string; readonly fault: StepFault; readonly label: string }[] = [];
  #token: string;
  /** The branch of the token that it was lent. */
  #elsewhere: string | undefined;
  #opened = 0;

  constructor(world: SimWorld, options: MachineOptions) {
    this.world = world;
    this.#options = options;
    this.name = options.name;
    this.deviceId = options.deviceId;
    this.turns = options.turns;
    this.draw = new Draw(options.seed, `machine ${options.name}`);
    this.line = new SimLine(world, options.name, new Draw(options.seed, `line ${options.name}`));
    this.disk = memory({ id: options.name });
    this.#token = world.server.token(this.deviceId);
  }

  /** The one that is made to crash at each of its steps. */
  get isFirst(): boolean {
    return this.world.machines[0] === this;
  }

  /** `undefined`: it sees all of them. */
  get branch() {
    return branchOf(this.deviceId);
  }

  get isOn(): boolean {
    return this.tabs.some((tab) => tab.isAlive);
  }

  wallClock(): number {
    return START + this.world.timeline.now + this.world.shutMs + this.wallOffsetMs;
  }

  diskMs(): number {
    return this.#options.diskMs === 0 ? 0 : this.draw.int(0, this.#options.diskMs);
  }

  /** Opens its tabs, as after it was switched on. */
  start(): void {
    while (this.tabs.length < this.#options.tabs) this.openTab();
  }

  openTab(): Tab {
    this.#opened += 1;
    const tab = new Tab(this, `${this.name}.${this.#opened}`, this.draw.seed());
    this.tabs.push(tab);
    const { options } = this.world.plan;
    platform.hosts.set(`${tab.name}.shop.test`, (socket, protocols) => this.line.dial(tab, socket, protocols));
    const marker = {
      read: (name: string) => this.#markers.get(name),
      write: (name: string, text: string) => void this.#markers.set(name, text),
    };
    const client = createSyncClient({
      name: this.storeName,
      storage: diskOf(tab, this.disk, marker),
      transport: http({
        url: `http://${tab.name}.shop.test/sync`,
        getToken: ({ refused }) => this.#getToken(refused),
        live: options.live === undefined || options.live === "off" ? "off" : "auto",
        fetch: this.line.fetch(tab),
        timeoutMs: 15_000,
      }),
      collections: shopOf(this.app),
      device: { id: this.deviceId },
      sync: {
        ...(!options.defaults && { intervalMs: 5_000, retry: { minMs: 200, maxMs: 10_000 } }),
        batch: { maxOperations: options.batch },
      },
      clock: tab.clock,
      random: tab.random,
      coordinator: tab.coordinator,
      connectivity: tab.connectivity,
    });
    tab.client = speaking(client, this.app);
    this.world.model.watch(tab);
    if (tab.draw.chance(options.watches ?? 0)) tab.watched = new Watched(tab);
    this.#begin(tab);
    return tab;
  }

  /** As an app does it: a store that can't be opened is shown, and tried again. */
  #begin(tab: Tab): void {
    tab.client.start().catch(() => this.world.timeline.after(REOPEN_MS, () => tab.isAlive && this.#begin(tab)));
  }

  /**
   * Its tab stands still until another one has taken its turn, and goes on where it was. Less than the deadline of a request: one that
   * was answered before is applied after.
   */
  freezeUntilRobbed(tab: Tab, ms = ROBBED_MS): void {
    if (this.world.isHealing || tab.state !== "alive") return;
    if (this.tabs.length < 2) this.openTab();
    tab.freeze(false);
    this.world.timeline.after(ms, () => tab.thaw());
  }

  /** One tab ends, without a word. */
  crashTab(tab: Tab): void {
    tab.crash();
    this.tabs = this.tabs.filter((one) => one !== tab);
  }

  /** All of it, at once; it is switched on again after a while. */
  crash(why: string): void {
    if (!this.isOn) return;
    this.world.trace.say(this.name, `crash ${why}`);
    for (const tab of [...this.tabs]) this.crashTab(tab);
    this.world.timeline.after(this.draw.int(100, 8_000), () => this.start());
  }

  /** At the n-th step of the store from now. */
  armStep(name: string, fault: StepFault, steps: number): void {
    this.#armed.push({ name, fault, left: steps });
  }

  /** At the next step that does this. */
  armStepOf(name: string, fault: StepFault, label: string): void {
    this.#armedOf.push({ name, fault, label });
  }

  /** Answers that it has got lie there for a while, and others overtake them. */
  armSlowAnswers(count: number): void {
    if (this.world.isHealing) return;
    for (let left = count; left > 0; left--) this.armStepOf("slow_step", "slow", "answer");
  }

  nextStepFault(tab: Tab, what: string): StepFault | undefined {
    const place = this.#armedOf.findIndex(({ label }) => what === `transact ${label}`);
    const [own] = place < 0 ? [] : this.#armedOf.splice(place, 1);
    if (own) {
      this.world.hit(own.name);
      this.world.trace.say(this.name, `${tab.name} meets ${own.name} at "${what}"`);
      return own.fault;
    }
    const next = this.#armed[0];
    if (next === undefined) return undefined;
    next.left -= 1;
    if (next.left > 0) return undefined;
    this.#armed.shift();
    this.world.hit(next.name);
    this.world.trace.say(this.name, `${tab.name} meets ${next.name} at "${what}"`);
    return next.fault;
  }

  minted(operation: StoredOperation, seen?: Seen): void {
    this.#isMarked = true;
    const plain = plainOperation(operation);
    const wrong = mislabelled(plain.collection, { ...plain.data, ...plain.patch });
    if (wrong)
      this.world.violation("S16", `${this.name} has made ${plain.id} of version ${plain.schemaVersion}: ${wrong}`);
    this.world.model.stored(this, plain, seen);
  }

  snapshot(): MemorySnapshot {
    return this.disk.snapshot(this.storeName);
  }

  /** Another disk is in it now: empty, or as it was at some time. It was switched off for that. */
  exchangeDisk(content: MemorySnapshot | undefined, keepsMarker: boolean): void {
    const before = operationsIn(this.snapshot());
    this.crash("to exchange its disk");
    this.lend(undefined);
    this.life += 1;
    this.disk = memory({ id: `${this.name}.${this.life}` });
    this.heights.clear();
    this.holder = undefined;
    if (content) this.disk.restore(this.storeName, content);
    if (!keepsMarker) this.#markers.clear();
    const kept = new Set(operationsIn(this.snapshot()).map(({ id }) => id));
    this.world.model.diskLost(
      this,
      before.filter(({ id }) => !kept.has(id)),
      // One that an exchange before took away does not come back with this one.
      this.#isMarked && keepsMarker,
      content === undefined,
    );
    if (!keepsMarker) this.#isMarked = false;
  }

  /** How far its store has counted, as whom, and whether it has met the server. */
  counted(): { readonly isNew: boolean; readonly sequence: number; readonly incarnation: string } {
    const meta = new Map(this.snapshot().tables[META] ?? []);
    const identity = meta.get(IDENTITY) as Identity | undefined;
    const queue = meta.get(QUEUE) as QueueState | undefined;
    const incarnation = identity?.incarnation ?? "";
    return { isNew: identity?.registered === undefined, sequence: queue?.sequence ?? 0, incarnation };
  }

  /** Its token is one of that branch now; `undefined`: of its own. A store that has met nobody yet would stay in it. */
  lend(branch: string | undefined): boolean {
    if (branch !== undefined && this.counted().isNew) return false;
    this.#elsewhere = branch;
    this.#token = this.world.server.token(this.deviceId, branch);
    return true;
  }

  /** Another version of the app is installed, and all tabs are loaded again. */
  install(version: Version): void {
    this.app = version;
    this.crash(`to change its app to version ${version}`);
  }

  heal(): void {
    if (this.world.plan.options.versions && this.app !== NEWEST) this.install(NEWEST);
    this.lend(undefined);
    this.areTokensOut = false;
    this.line.heal();
    this.#armed.length = 0;
    this.#armedOf.length = 0;
    this.isFull = false;
    this.isSignedOut = false;
    for (const tab of this.tabs) tab.thaw();
    this.start();
  }

  operations(): readonly FlatOperation[] {
    return operationsIn(this.snapshot());
  }

  /** As it is stored. */
  row(collection: string, id: string): StoredRow | undefined {
    const row = this.snapshot().tables[`c:${collection}`]?.find(([key]) => key === id)?.[1] as StoredRow | undefined;
    if (row === undefined) return undefined;
    const plain = (data: StoredRow["data"]) => data && (down(row.schemaVersion ?? 1, collection, data) as typeof data);
    return { ...row, data: plain(row.data), base: row.base ? plain(row.base) : row.base };
  }

  /** What the server says of a row, as far as this till knows. */
  base(collection: string, id: string): StoredRow["data"] {
    const row = this.row(collection, id);
    return (row?.base === undefined ? row?.data : row.base) ?? undefined;
  }

  #getToken(refused: string | undefined): string | undefined {
    if (this.isSignedOut) return undefined;
    if (refused !== undefined) {
      if (this.line.isCut || this.areTokensOut) throw new Error("No way to whoever issues the tokens.");
      this.#token = this.world.server.token(this.deviceId, this.#elsewhere);
    }
    return this.#token;
  }
}

export function operationsIn(snapshot: MemorySnapshot): readonly FlatOperation[] {
  return (snapshot.tables[OPERATIONS] ?? []).map(([, value]) => flat(plainOperation(value as StoredOperation)));
}
