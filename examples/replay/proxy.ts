/**
 * The network between one till and the server: a real loopback proxy that can be cut, and that loses, delays or repeats
 * requests.
 */
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkFault } from "./schedule.ts";

export interface LinkOptions {
  /** The server's host and port. */
  readonly target: URL;
  /** What happens to the next request. */
  nextFault(): NetworkFault | undefined;
  /** Called when a fault has happened. */
  happened(fault: NetworkFault): void;
  /** Called when a request is on its way to the server. */
  forwarding?(path: string): void;
  /** How long to hold what never arrives: longer than the till waits. */
  readonly neverMs: number;
}

interface Passed {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const LATE_MS = 150;
/** A copy of a request is sent again after this many others. */
const LATER = 3;

export class Link {
  readonly #options: LinkOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  readonly #copies: { readonly passed: Passed; wait: number }[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #lastAnswer: Answered | undefined;
  #up = true;
  #faulty = true;
  /** Varies the delays. */
  #passed = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#server = createServer((incoming, outgoing) => {
      const work = this.#serve(incoming, outgoing).catch(() => void outgoing.destroy());
      this.#open.add(work);
      void work.finally(() => this.#open.delete(work));
    });
  }

  /** @returns the address that the till uses as the server's */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts the network: open connections break, new ones are reset. */
  cut(): void {
    this.#up = false;
    this.#server.closeAllConnections();
  }

  mend(): void {
    this.#up = true;
  }

  /** From now on every request passes unchanged. */
  async calm(): Promise<void> {
    this.#faulty = false;
    this.#up = true;
    await Promise.all(this.#copies.splice(0).map(({ passed }) => this.#forward(passed).catch(() => undefined)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#agent.destroy();
    await Promise.all(this.#open);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (!this.#up) return void outgoing.destroy();
    const passed: Passed = {
      method: incoming.method ?? "GET",
      path: incoming.url ?? "/",
      headers: incoming.headers,
      body: await bodyOf(incoming),
    };
    this.#passed += 1;
    this.#sendCopies();
    const fault = this.#faulty ? this.#options.nextFault() : undefined;
    const answered = await this.#suffer(fault, passed, outgoing);
    if (answered === undefined) return void outgoing.destroy();
    if (!this.#up) return void outgoing.destroy();
    reply(outgoing, answered);
  }

  /** @returns the answer to the till, if there is one */
  async #suffer(
    fault: NetworkFault | undefined,
    passed: Passed,
    outgoing: ServerResponse,
  ): Promise<Answered | undefined> {
    const { neverMs, happened } = this.#options;
    const did = (): void => {
      if (fault !== undefined) happened(fault);
    };
    switch (fault) {
      case undefined:
        return this.#forward(passed);
      case "request_lost":
        did();
        return undefined;
      case "request_cut":
        if (passed.body.length < 2) return this.#forward(passed);
        did();
        await this.#forwardHalf(passed);
        return undefined;
      case "request_late":
        did();
        await this.#wait(this.#lateMs());
        return this.#forward(passed);
      case "request_twice": {
        did();
        const [, second] = await Promise.all([this.#forward(passed).catch(() => undefined), this.#forward(passed)]);
        return second;
      }
      case "request_again_later":
        did();
        this.#copies.push({ passed, wait: LATER });
        return this.#forward(passed);
      case "answer_lost":
        await this.#forward(passed);
        did();
        return undefined;
      case "answer_cut": {
        const answer = await this.#forward(passed);
        did();
        outgoing.writeHead(answer.status, { ...endToEnd(answer.headers), "content-length": answer.body.length + 1 });
        outgoing.write(answer.body.subarray(0, answer.body.length >> 1));
        await sleep(1);
        return undefined;
      }
      case "answer_late": {
        const answer = await this.#forward(passed);
        did();
        await this.#wait(this.#lateMs());
        return answer;
      }
      case "answer_of_another": {
        const before = this.#lastAnswer;
        const answer = await this.#forward(passed);
        if (before === undefined) return answer;
        did();
        return before;
      }
      case "answer_never":
        await this.#forward(passed);
        did();
        await this.#wait(neverMs);
        return undefined;
      case "server_error":
        did();
        return plain([500, 502, 503, 504][this.#passed % 4] ?? 503, "text/html", "<h1>Bad Gateway</h1>");
      case "server_error_afterwards":
        await this.#forward(passed);
        did();
        return plain(504, "text/html", "<h1>Gateway Time-out</h1>");
      case "throttled":
        did();
        return plain(429, "text/plain", "Too many requests", { "retry-after": this.#passed % 3 === 0 ? "1" : "0" });
      case "captive_portal":
        did();
        return plain(200, "text/html", "<title>Welcome to our Wi-Fi</title><form action=/login></form>");
    }
  }

  #wait(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#closing.signal });
  }

  #lateMs(): number {
    return LATE_MS + (this.#passed % 5) * LATE_MS;
  }

  #sendCopies(): void {
    for (const copy of this.#copies) copy.wait -= 1;
    const due = this.#copies.filter(({ wait }) => wait <= 0);
    for (const copy of due) {
      this.#copies.splice(this.#copies.indexOf(copy), 1);
      const work = this.#forward(copy.passed).then(ignore, ignore);
      this.#open.add(work);
      void work.finally(() => this.#open.delete(work));
    }
  }

  async #forward(passed: Passed): Promise<Answered> {
    this.#options.forwarding?.(passed.path);
    const answer = await new Promise<Answered>((resolve, reject) => {
      const outgoing = this.#request(passed, (incoming) => {
        bodyOf(incoming).then(
          (body) => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body }),
          reject,
        );
      });
      outgoing.on("error", reject);
      outgoing.end(passed.body);
    });
    this.#lastAnswer = answer;
    return answer;
  }

  /** The connection breaks in the middle of the body. */
  #forwardHalf(passed: Passed): Promise<void> {
    return new Promise((resolve) => {
      const outgoing = this.#request(passed, () => {});
      outgoing.on("error", () => resolve());
      outgoing.on("close", () => resolve());
      outgoing.write(passed.body.subarray(0, passed.body.length >> 1), () => outgoing.destroy());
    });
  }

  #request(passed: Passed, answered: (incoming: IncomingMessage) => void) {
    const { hostname, port } = this.#options.target;
    return httpRequest(
      {
        agent: this.#agent,
        hostname,
        port,
        method: passed.method,
        path: passed.path,
        headers: { ...endToEnd(passed.headers), "content-length": passed.body.length },
      },
      answered,
    );
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply(outgoing: ServerResponse, { status, headers, body }: Answered): void {
  outgoing.writeHead(status, { ...endToEnd(headers), "content-length": body.length });
  outgoing.end(body);
}

function plain(status: number, type: string, text: string, headers: Readonly<Record<string, string>> = {}): Answered {
  return { status, headers: { "content-type": type, ...headers }, body: Buffer.from(text) };
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, "content-length": ____, ...rest } = headers;
  return rest;
}

function ignore(): void {}
