/** The line of a `RuleTill` to the server: a test loses, holds, repeats and refuses what goes over it. */
import type { Transport } from "../../src/client/ports/transport.ts";
import { deferred } from "../../src/shared/deferred.ts";

type Members = Record<string, unknown>;
type Endpoint = "register" | "push" | "pull";
/** One request of a till, and the answer that it received. `status` is `undefined` if it received none. */
export interface Exchange {
  readonly endpoint: Endpoint;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  readonly request: any;
  status: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  answer: any;
}
/** What happens to a request on its way. */
export type Way = (deliver: () => Promise<Response>, request: Request, exchange: Exchange) => Promise<Response>;
export interface Held {
  /** Resolves when the request or its answer has arrived where it is held. */
  readonly arrived: Promise<void>;
  release(): void;
}

const unreachable = () => new TypeError("Failed to fetch");
export const lostRequest: Way = () => Promise.reject(unreachable());
export const lostAnswer: Way = async (deliver) => {
  await deliver();
  throw unreachable();
};
export const twice: Way = async (deliver) => {
  await deliver();
  return deliver();
};
/** A refusal by the server itself, as if it could not read the request. */
export const refusing =
  (status: number, code: string): Way =>
  async (_deliver, request) =>
    Response.json(
      {
        type: `urn:tillsync:problem:${code}`,
        title: code,
        status,
        detail: "Refused by the test",
        code,
        requestId: request.headers.get("tillsync-request-id"),
      },
      {
        status,
        headers: {
          "content-type": "application/problem+json",
          "tillsync-protocol": "1",
          "tillsync-request-id": request.headers.get("tillsync-request-id") ?? "",
          "tillsync-server-time": "2026-11-20T08:00:00.000Z",
        },
      },
    );

/** The line between one till and the server. */
export class RuleLine {
  up = true;
  readonly exchanges: Exchange[] = [];
  /** What happens to each request that `next` says nothing about. */
  always: Way | undefined;
  readonly #next: Record<Endpoint, Way[]> = { register: [], push: [], pull: [] };
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #stir: () => void;

  constructor(handler: (request: Request) => Promise<Response>, stir: () => void) {
    this.#handler = handler;
    this.#stir = stir;
  }

  /** What happens to the next request to this endpoint; with two ways, to the next two. */
  next(endpoint: Endpoint, ...ways: readonly Way[]): void {
    this.#next[endpoint].push(...ways);
  }

  /** Holds the next request before it reaches the server, or its answer afterwards. */
  hold(endpoint: Endpoint, what: "request" | "answer"): Held {
    const arrived = deferred<void>();
    const released = deferred<void>();
    this.next(endpoint, async (deliver) => {
      const early = what === "answer" ? await deliver() : undefined;
      arrived.resolve();
      this.#moving -= 1;
      await released.promise;
      this.#move();
      return early ?? deliver();
    });
    return { arrived: arrived.promise, release: () => released.resolve() };
  }

  of(endpoint: Endpoint): readonly Exchange[] {
    return this.exchanges.filter((exchange) => exchange.endpoint === endpoint);
  }
  /** The operations of each push, in their order. */
  get pushed(): readonly (readonly Members[])[] {
    return this.of("push").map(({ request }) => request.operations as Members[]);
  }

  /** Requests under way that are not held: the clock waits for them. */
  #moving = 0;
  #move(): void {
    this.#moving += 1;
    if (this.#moving > 1) return;
    const stir = () => {
      this.#stir();
      if (this.#moving > 0) setTimeout(stir, 0);
    };
    stir();
  }

  /**
   * Watches the whole transport and not only its `fetch`: the streams and the JSON around it take turns of the event
   * loop, too.
   */
  watched(transport: Transport): Transport {
    const during = async <T>(work: () => Promise<T>): Promise<T> => {
      this.#move();
      try {
        return await work();
      } finally {
        this.#moving -= 1;
        this.#stir();
      }
    };
    return {
      ...transport,
      register: (request, call) => during(() => transport.register(request, call)),
      push: (request, call) => during(() => transport.push(request, call)),
      pull: (request, call) => during(() => transport.pull(request, call)),
      time: (call) => during(() => transport.time(call)),
    };
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const endpoint = new URL(request.url).pathname.split("/").at(-1) as Endpoint;
    const exchange: Exchange = {
      endpoint,
      request: await bodyOf(request.clone()),
      status: undefined,
      answer: undefined,
    };
    this.exchanges.push(exchange);
    if (!this.up) throw unreachable();
    const deliver = () => this.#handler(request.clone());
    const way = this.#next[endpoint]?.shift() ?? this.always;
    const response = way === undefined ? await deliver() : await way(deliver, request, exchange);
    exchange.status = response.status;
    exchange.answer = await response.clone().json();
    return response;
  };
}

async function bodyOf(request: Request): Promise<unknown> {
  const zipped = request.headers.get("content-encoding") === "gzip" && request.body;
  const text = await new Response(
    zipped ? request.body?.pipeThrough(new DecompressionStream("gzip")) : request.body,
  ).text();
  return text === "" ? undefined : JSON.parse(text);
}
