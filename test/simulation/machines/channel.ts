/** The channel for pokes between a tab and one process of the server. It may lose what it carries, and break without a word [M7]. */
import { LIVE_SUBPROTOCOL } from "../../../src/protocol/constants.ts";
import type { SimSocket } from "../engine/platform.ts";
import type { SimLine } from "./sim-line.ts";
import type { Tab } from "./tab.ts";

export class Channel {
  readonly #line: SimLine;
  readonly #tab: Tab;
  readonly #socket: SimSocket;
  #hangUp: (() => void) | undefined;

  constructor(line: SimLine, tab: Tab, socket: SimSocket) {
    this.#line = line;
    this.#tab = tab;
    this.#socket = socket;
    socket.onclosed = () => this.#end();
    void tab.ended.then(() => this.#end());
  }

  async dial(protocols: readonly string[]): Promise<void> {
    const { world } = this.#tab.machine;
    const offered = { "sec-websocket-protocol": protocols.join(", ") };
    await this.#line.way();
    // Nothing is heard of it, or an error at once: the client knows both.
    if (!this.#line.isOpen("requests")) return void (world.timeline.now % 2 === 0 && this.break());
    if (world.plan.options.live !== "on") return this.break();
    const connection = await world.server.connect(new Request("http://shop.test/sync/live", { headers: offered }), {
      send: (text) => void this.#carry(text),
      close: () => void this.#line.way().then(() => this.break()),
    });
    await this.#line.way();
    if (connection === undefined) return this.break();
    this.#hangUp = connection.close;
    if (this.#socket.isClosed || !this.#tab.isAlive) return this.#end();
    this.#tab.deliver(() => this.#socket.open(LIVE_SUBPROTOCOL));
  }

  /** The client is told, if it is there. */
  break(): void {
    this.#end();
    this.#tab.deliver(() => this.#socket.break());
  }

  async #carry(text: string): Promise<void> {
    await this.#line.way();
    if (this.#line.isOpen("answers")) this.#tab.deliver(() => this.#socket.receive(text));
  }

  #end(): void {
    this.#line.channels.delete(this);
    this.#hangUp?.();
    this.#hangUp = undefined;
  }
}
