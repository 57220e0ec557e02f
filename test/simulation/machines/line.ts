/** The network between one machine and the server, and what becomes of requests on it. (simulation) */
import type { Draw } from "../engine/draw.ts";
import type { World } from "../world.ts";
import type { Tab } from "./tab.ts";

/** Of one request. */
export type RequestFault =
  | { readonly kind: "drop_request" | "drop_answer" | "duplicate" | "delay" | "truncate" | "foreign" | "stale" }
  | { readonly kind: "status"; readonly status: number };

export type Cut = "both" | "requests" | "answers";

/** A page of somebody between: a captive portal's. */
const PORTAL = "<html><body>Please accept the terms of this network.</body></html>";
const LATE_MS = 20_000;

export class Line {
  /** What the platform believes. */
  seemsUp = true;
  /** Added to every way. */
  slowMs = 0;
  sent = 0;
  readonly #world: World;
  readonly #name: string;
  readonly #draw: Draw;
  readonly #cuts = new Set<{ readonly what: Cut }>();
  readonly #armed: { readonly fault: RequestFault; readonly name: string }[] = [];
  readonly #answered = new Map<string, { readonly text: string; readonly headers: Headers }>();

  constructor(world: World, name: string, draw: Draw) {
    this.#world = world;
    this.#name = name;
    this.#draw = draw;
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
    this.#armed.length = 0;
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
    this.#world.trace.say(this.#name, `${tab.name} asks ${path}${armed ? `, which meets ${armed.name}` : ""}`);
    const { machine } = tab;
    if (machine.isFirst && this.#world.reaches("request_before")) machine.crash(`before it asks ${path}`);
    await tab.through(Promise.resolve());
    const response = await this.#travel(path, request, armed?.fault);
    if (machine.isFirst && this.#world.reaches("answer_after")) machine.crash(`when it is answered ${path}`);
    return tab.through(Promise.resolve(response));
  }

  async #travel(path: string, request: Request, fault: RequestFault | undefined): Promise<Response> {
    const { timeline, server } = this.#world;
    await timeline.wait(this.#wayMs());
    if (fault?.kind === "delay") await timeline.wait(this.#draw.int(1_000, LATE_MS));
    if (!this.#isOpen("requests") || fault?.kind === "drop_request") return this.#silence();
    if (fault?.kind === "foreign")
      return new Response(PORTAL, { status: 200, headers: { "content-type": "text/html" } });
    if (fault?.kind === "status") return this.#between(fault.status);
    const former = this.#answered.get(path);
    if (fault?.kind === "stale" && former) return new Response(former.text, { status: 200, headers: former.headers });
    if (fault?.kind === "duplicate") this.#again(request.clone());

    const response = await server.handle(request);
    const text = await response.text();
    this.#world.trace.say("server", `answers ${path} of ${this.#name}: ${response.status}, ${text.length} characters`);
    if (response.ok) this.#answered.set(path, { text, headers: response.headers });
    await timeline.wait(this.#wayMs());
    // It may have been cut while the server was at work.
    if (!this.#isOpen("answers") || fault?.kind === "drop_answer") return this.#silence();
    const { status, headers } = response;
    const whole = new Response(fault?.kind === "truncate" ? text.slice(0, text.length >> 1) : text, {
      status,
      headers,
    });
    return whole;
  }

  #isOpen(way: "requests" | "answers"): boolean {
    return [...this.#cuts].every(({ what }) => what !== "both" && what !== way);
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

  #between(status: number): Response {
    const headers = { "content-type": "text/plain", ...(status === 429 && { "retry-after": "3" }) };
    return new Response("busy", { status, headers });
  }
}
