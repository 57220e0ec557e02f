/** The network between one machine and the server, and what becomes of requests on it. */
import type { PushRequest, RegisterResponse } from "../../../src/protocol/types.ts";
import type { Draw } from "../engine/draw.ts";
import type { SimSocket } from "../engine/platform.ts";
import { judgeEffects } from "../invariants/answered.ts";
import { judgeRoom } from "../invariants/bounded.ts";
import { judgeUnsynced } from "../invariants/counted.ts";
import { judgeTold } from "../invariants/lies.ts";
import { Patience } from "../invariants/patience.ts";
import { isRevoked, judgeServed } from "../invariants/revoked.ts";
import { TooSlow } from "../invariants/too-slow.ts";
import { judgeWaiting } from "../invariants/waited.ts";
import type { SimWorld } from "../world.ts";
import { Channel } from "./channel.ts";
import { highestVersion, noteAnswer, parsed } from "./heard.ts";
import type { Machine } from "./machine.ts";
import type { Tab } from "./tab.ts";

/** Of one request. */
export type RequestFault =
  | {
      readonly kind:
        | "drop_request"
        | "drop_answer"
        | "duplicate"
        | "delay"
        | "late"
        | "truncate"
        | "foreign"
        | "stale"
        | "crossed"
        | "freeze"
        | "poison";
    }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterS?: number | undefined };

export type Cut = "both" | "requests" | "answers";

/** A page of somebody between: a captive portal's. */
const PORTAL = "<html><body>Please accept the terms of this network.</body></html>";
const LATE_MS = 20_000;
const REQUEST_ID = "tillsync-request-id";

export class SimLine {
  /** What the platform believes. */
  seemsUp = true;
  /** Added to every way. */
  slowMs = 0;
  sent = 0;
  /** How often it was asked for a channel for pokes. */
  dialled = 0;
  readonly channels = new Set<Channel>();
  readonly #patience: Patience;
  /** The highest version of a row in any answer of the server, whether the till has received and stored it or not. */
  answeredVersion = 0;
  /** Operations that the server fails on, whatever they come with. */
  poison: ReadonlySet<string> | undefined;
  readonly #world: SimWorld;
  readonly #name: string;
  readonly #draw: Draw;
  readonly #cuts = new Set<{ readonly what: Cut }>();
  /** What the line carries now, each way; `undefined`: whatever is sent takes no time. */
  #speed: { readonly bytesPerSecond: number; readonly forGood: boolean } | undefined;
  readonly #tooSlow: TooSlow;
  readonly #armed: { readonly fault: RequestFault; readonly name: string }[] = [];
  readonly #answered = new Map<string, { readonly text: string; readonly headers: Headers }>();

  constructor(world: SimWorld, name: string, draw: Draw) {
    this.#world = world;
    this.#name = name;
    this.#draw = draw;
    this.#patience = new Patience(world);
    this.#tooSlow = new TooSlow(world);
  }

  /** A person does not wait for what the server had asked for, until the answer is called. */
  hurry(): () => void {
    return this.#patience.hurry();
  }

  /**
   * It carries only so much, until the answer is called. `forGood`: also while everything is being put right, so the
   * tills must get along with it.
   */
  carry(bytesPerSecond: number, forGood: boolean): () => void {
    const speed = { bytesPerSecond, forGood };
    this.#speed = speed;
    this.#tooSlow.begin();
    return () => {
      if (this.#speed === speed && !forGood) this.#speed = undefined;
    };
  }

  /** Everything has been put right: now it must be fast. */
  speedUp(): void {
    this.#speed = undefined;
  }

  /** Befalls the next request. */
  arm(name: string, fault: RequestFault): void {
    this.#armed.push({ name, fault });
  }

  get isCut(): boolean {
    return this.#cuts.size > 0;
  }

  /** Until the answer is called. Several may overlap. */
  cut(what: Cut): () => void {
    const cut = { what };
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  heal(): void {
    this.#cuts.clear();
    this.seemsUp = true;
    this.slowMs = 0;
    if (!this.#speed?.forGood) this.#speed = undefined;
    this.#armed.length = 0;
    // One that is dead without having said so would be found out by the platform, in time.
    this.breakChannels();
  }

  breakChannels(): void {
    for (const channel of [...this.channels]) channel.break();
  }

  /** A tab asks for a channel. */
  dial(tab: Tab, socket: SimSocket, protocols: readonly string[]): void {
    this.dialled += 1;
    this.#world.trace.say(this.#name, `${tab.name} asks live`);
    const channel = new Channel(this, tab, socket);
    this.channels.add(channel);
    void channel.dial(protocols);
  }

  /** One way over the network. */
  way(): Promise<void> {
    return this.#world.timeline.wait(this.#wayMs());
  }

  isOpen(way: "requests" | "answers"): boolean {
    return [...this.#cuts].every(({ what }) => what !== "both" && what !== way);
  }

  fetch(tab: Tab): typeof globalThis.fetch {
    return (input, init) => this.#exchange(tab, new Request(input, init));
  }

  async #exchange(tab: Tab, request: Request): Promise<Response> {
    // What a tab would do after it has crashed is not done.
    await tab.through(Promise.resolve());
    this.sent += 1;
    const path = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const armed = this.#armed.shift();
    if (armed) this.#world.hit(armed.name);
    this.#patience.asked(tab, path);
    this.#world.trace.say(this.#name, `${tab.name} asks ${path}${armed ? `, which meets ${armed.name}` : ""}`);
    const { machine } = tab;
    if (machine.isFirst && this.#world.reaches("request_before")) machine.crash(`before it asks ${path}`);
    await tab.through(Promise.resolve());
    const lane = path === "push" || path === "pull" ? path : undefined;
    const asker = lane && (await askerOf(request));
    if (path === "push") {
      tab.pushes += 1;
      tab.isPushing = true;
      request.signal.addEventListener("abort", () => {
        tab.isPushing = false;
      });
    }
    await this.#tooSlow.watch(tab, path, request);
    const response = await this.#travel(tab, path, request, armed?.fault).finally(() => {
      if (path === "push") tab.isPushing = false;
    });
    if (response.ok && lane && asker) noteAnswer(tab, lane, asker, await response.clone().text());
    if (armed?.fault.kind === "freeze") machine.freezeUntilRobbed(tab);
    if (machine.isFirst && this.#world.reaches("answer_after")) machine.crash(`when it is answered ${path}`);
    await tab.through(Promise.resolve());
    // Nobody hears what comes after a request was given up.
    if (!request.signal.aborted) this.#patience.answered(tab, path, response);
    const isIts = response.headers.get(REQUEST_ID) === request.headers.get(REQUEST_ID);
    const isAwaited = !request.signal.aborted;
    if (response.ok && isIts) await this.#tooSlow.answered(tab, path, request, response);
    if (response.ok && isIts && isAwaited && path === "register") await this.#meet(machine, response.clone());
    return tab.through(Promise.resolve(response));
  }

  async #travel(tab: Tab, path: string, request: Request, fault: RequestFault | undefined): Promise<Response> {
    const { timeline, server } = this.#world;
    await timeline.wait(this.#wayMs());
    const sentMs = await this.#transfer((await request.clone().arrayBuffer()).byteLength);
    // It has given up before the last byte was sent.
    if (request.signal.aborted) {
      this.#tooSlow.carried(tab, path, sentMs);
      return this.#silence();
    }
    if (fault?.kind === "delay") await timeline.wait(this.#draw.int(1_000, LATE_MS));
    if (!this.isOpen("requests") || fault?.kind === "drop_request") return this.#silence();
    if (fault?.kind === "late") {
      this.#again(request.clone());
      return this.#silence();
    }
    if (fault?.kind === "foreign") return this.#foreign(request);
    if (fault?.kind === "status") return this.#between(fault);
    const former = this.#answered.get(path);
    if (fault?.kind === "stale" && former) return new Response(former.text, { status: 200, headers: former.headers });
    const others = this.#world.machines.flatMap(({ line }) => (line === this ? [] : (line.#answered.get(path) ?? [])));
    if (fault?.kind === "crossed" && others.length > 0) {
      const { text, headers } = this.#draw.pick(others);
      return new Response(text, { status: 200, headers });
    }
    if (fault?.kind === "duplicate") this.#again(request.clone());

    if (path === "push" && (await this.#isPoisoned(request, fault?.kind === "poison" && !this.#world.isHealing)))
      return new Response("It failed.", { status: 500 });

    const asked = path === "push" ? request.clone() : undefined;
    const { liar } = this.#world;
    const overheard = liar && (await request.clone().text());
    const wasRevoked = isRevoked(this.#world, tab.machine.deviceId);
    const { restores } = server;
    const askedAt = server.now();
    const response = await server.handle(request);
    const text = await response.text();
    if (wasRevoked && restores === server.restores && response.ok) judgeServed(this.#world, this.#name, path, text);
    if (liar && overheard && response.ok) {
      liar.heard.note(JSON.parse(overheard), JSON.parse(text));
      judgeTold(liar, this.#name, text);
    }
    if (response.ok) this.answeredVersion = Math.max(this.answeredVersion, highestVersion(parsed(text)));
    if (response.ok) this.#world.model.judged(parsed(text).results, askedAt);
    if (response.ok) judgeRoom(this.#world, parsed(text).results);
    if (asked && response.ok) judgeEffects(this.#world, parsed(text).results);
    if (asked && response.ok) judgeWaiting(this.#world, (await asked.json()) as PushRequest, parsed(text).results);
    this.#world.trace.say("server", `answers ${path} of ${this.#name}: ${response.status}, ${text.length} characters`);
    if (response.ok && path === "register") judgeUnsynced(this.#world, JSON.parse(text) as RegisterResponse);
    if (response.ok) this.#answered.set(path, { text, headers: response.headers });
    await timeline.wait(this.#wayMs());
    const carriedMs = sentMs + (await this.#transfer(text.length));
    this.#tooSlow.carried(tab, path, carriedMs);
    // It may have been cut while the server was at work.
    if (!this.isOpen("answers") || fault?.kind === "drop_answer") return this.#silence();
    const { status, headers } = response;
    const whole = new Response(fault?.kind === "truncate" ? text.slice(0, text.length >> 1) : text, {
      status,
      headers,
    });
    return whole;
  }

  async #meet(machine: Machine, response: Response): Promise<void> {
    const answer = await response.json().catch(() => undefined); // it may have been cut
    if (answer?.unsynced) this.#world.model.met(machine, answer);
  }

  /** @param isArmed the last one in it is one on which the server fails from now on, and those that go with it */
  async #isPoisoned(request: Request, isArmed: boolean): Promise<boolean> {
    if (this.poison === undefined && !isArmed) return false;
    const { operations } = (await request.clone().json()) as {
      operations: readonly { readonly id: string; readonly transaction?: string }[];
    };
    const last = operations.at(-1);
    if (isArmed) {
      const isBound = (o: (typeof operations)[number]) =>
        o.transaction !== undefined && o.transaction === last?.transaction;
      this.poison ??= new Set(operations.filter((o) => o === last || isBound(o)).map(({ id }) => id));
    }
    return operations.some(({ id }) => this.poison?.has(id));
  }

  /** Takes the time that so many bytes take. */
  async #transfer(bytes: number): Promise<number> {
    if (this.#speed === undefined) return 0;
    const ms = Math.round((bytes / this.#speed.bytesPerSecond) * 1_000);
    await this.#world.timeline.wait(ms);
    return ms;
  }

  #wayMs(): number {
    return this.slowMs + this.#draw.int(5, 80);
  }

  /** An error at once, or nothing at all until the till's own deadline. */
  #silence(): Promise<Response> {
    if (this.#draw.chance(0.6)) return Promise.reject(new TypeError("Failed to fetch"));
    return new Promise(() => {});
  }

  /** The same request once more, later: whatever has happened in between. */
  #again(request: Request): void {
    const { timeline, server } = this.#world;
    void timeline.wait(this.#draw.int(0, LATE_MS)).then(() => server.handle(request).catch(() => {}));
  }

  /** Whoever answers everything with 200: in HTML, in JSON, or by sending back what he was asked. */
  #foreign(request: Request): Response {
    const json = { "content-type": "application/json" };
    switch (this.#draw.int(0, 2)) {
      case 0:
        return new Response(PORTAL, { status: 200, headers: { "content-type": "text/html" } });
      case 1:
        return new Response('{"ok":true}', { status: 200, headers: json });
      default:
        return new Response("{}", { status: 200, headers: { ...Object.fromEntries(request.headers), ...json } });
    }
  }

  #between({ status, retryAfterS }: Extract<RequestFault, { kind: "status" }>): Response {
    const after = retryAfterS ?? (status === 429 ? 3 : undefined);
    const headers = { "content-type": "text/plain", ...(after !== undefined && { "retry-after": String(after) }) };
    return new Response("busy", { status, headers });
  }
}

async function askerOf(request: Request): Promise<string> {
  const { device, epoch } = (await request.clone().json()) as { device: { incarnation: string }; epoch: string };
  return `${device.incarnation} ${epoch}`;
}
