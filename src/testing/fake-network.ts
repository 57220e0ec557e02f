/** A network between clients and a server in one process, to be broken on purpose. */

/**
 * A network that a test breaks. Each call that names the next request concerns one request, of any client; several
 * calls concern the requests that follow, in the order of the calls. Requests that are made offline don't count.
 */
export interface FakeNetwork {
  /** Lets requests through again. */
  online(): void;
  /** Lets no request through, as if there were no network. */
  offline(): void;
  /** The next request reaches the server; its answer does not reach the client. */
  loseNextAnswer(): void;
  /** The next request never reaches the server. */
  loseNextRequest(): void;
  /** Something in between answers the next request, such as a proxy or a captive portal; the server never sees it. */
  answerNext(status: number, body?: string, headers?: Readonly<Record<string, string>>): void;
  /** The next request reaches the server twice; the client gets the first answer. */
  duplicateNextRequest(): void;
  /** All requests so far, in their order, also those that were lost. */
  readonly requests: readonly SeenRequest[];
}
/** A request that a client has made. */
export interface SeenRequest {
  /** The path of its URL: `/sync/push`. */
  readonly path: string;
  /** Its body, decompressed: parsed if it is JSON, otherwise as text. */
  readonly body: unknown;
  /** The status of the server's answer; `undefined` if the client got no answer, or one from something in between. */
  readonly status: number | undefined;
}

type Trouble =
  | { readonly kind: "lose_request" | "lose_answer" | "duplicate" }
  | { readonly kind: "answer"; readonly response: () => Response };

export interface FakeNetworkWiring {
  readonly network: FakeNetwork;
  readonly fetch: typeof globalThis.fetch;
}

/** @param stirred called whenever something happens, so that a clock can wait for quiet */
export function fakeNetwork(handler: (request: Request) => Promise<Response>, stirred: () => void): FakeNetworkWiring {
  let up = true;
  const troubles: Trouble[] = [];
  const requests: { path: string; body: unknown; status: number | undefined }[] = [];
  const network: FakeNetwork = {
    online: () => {
      up = true;
    },
    offline: () => {
      up = false;
    },
    loseNextAnswer: () => void troubles.push({ kind: "lose_answer" }),
    loseNextRequest: () => void troubles.push({ kind: "lose_request" }),
    duplicateNextRequest: () => void troubles.push({ kind: "duplicate" }),
    answerNext: (status, body = "", headers = {}) =>
      void troubles.push({ kind: "answer", response: () => new Response(body, { status, headers }) }),
    requests,
  };

  async function exchange(request: Request): Promise<Response> {
    const seen = {
      path: new URL(request.url).pathname,
      body: await bodyOf(request.clone()),
      status: undefined as number | undefined,
    };
    const trouble = up ? troubles.shift() : undefined;
    requests.push(seen);
    stirred();
    if (!up || trouble?.kind === "lose_request") throw unreachable();
    if (trouble?.kind === "answer") return trouble.response();
    const again = trouble?.kind === "duplicate" ? request.clone() : undefined;
    const response = await handler(request);
    if (again) await handler(again);
    stirred();
    if (trouble?.kind === "lose_answer" || request.signal.aborted) throw unreachable();
    seen.status = response.status;
    return response;
  }

  return { network, fetch: (input, init) => exchange(new Request(input, init)) };
}

/** What `fetch` throws if the network fails. */
const unreachable = () => new TypeError("Failed to fetch");

async function bodyOf(request: Request): Promise<unknown> {
  // Not `body`: Firefox's requests have none.
  const sent = await request.blob();
  const isGzip = request.headers.get("content-encoding") === "gzip" && sent.size > 0;
  const bytes = isGzip ? sent.stream().pipeThrough(new DecompressionStream("gzip")) : sent;
  const text = await new Response(bytes).text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
