/** A network between tills and a server in one process, to be broken on purpose. */

export interface FakeNetwork {
  online(): void;
  offline(): void;
  /** The next request arrives; its answer does not. */
  loseNextAnswer(): void;
  /** The next request never arrives. */
  loseNextRequest(): void;
  /** The next request is answered by something between: a proxy, a portal. */
  answerNext(status: number, body?: string, headers?: Readonly<Record<string, string>>): void;
  duplicateNextRequest(): void;
  readonly requests: readonly SeenRequest[];
}
export interface SeenRequest {
  readonly path: string;
  readonly body: unknown;
  /** `undefined`: the till got no answer. */
  readonly status: number | undefined;
}

type Trouble =
  | { readonly kind: "lose_request" | "lose_answer" | "duplicate" }
  | { readonly kind: "answer"; readonly response: () => Response };

export interface FakeNetworkWiring {
  readonly network: FakeNetwork;
  readonly fetch: typeof globalThis.fetch;
}

/** `stirred` is told whenever something moves, so that a clock can wait for quiet. */
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

/** What `fetch` throws when there is no way through. */
const unreachable = () => new TypeError("Failed to fetch");

async function bodyOf(request: Request): Promise<unknown> {
  const bytes =
    request.headers.get("content-encoding") === "gzip" && request.body
      ? request.body.pipeThrough(new DecompressionStream("gzip"))
      : request.body;
  const text = await new Response(bytes).text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
