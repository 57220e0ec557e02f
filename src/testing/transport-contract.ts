/**
 * The laws of the Transport port, as cases that run with any test framework.
 *
 * Each case tells `open` how the other end behaves: it answers, hangs up, stays silent. How a peer does that depends on
 * the transport: for HTTP it is a server on the loopback, for another protocol whatever stands in for its server.
 */
import type { Transport, TransportCall, TransportFailure, TransportResult } from "../client/ports/transport.ts";
import type { ProblemCode } from "../protocol/codes.ts";
import type { PullRequest, PushRequest, RegisterRequest } from "../protocol/types.ts";
import { deepEqual, type Json } from "../shared/json.ts";
import { rfc3339 } from "../shared/rfc3339.ts";
import { check, checkEqual, show } from "./check.ts";

/** The calls of a transport. */
export type TransportCallName = "register" | "push" | "pull" | "time";

/** What the other end does with every request that it receives. */
export type TransportPeer =
  /** Answers completely and correctly, with what `message` returns for the call and its request id. */
  | { readonly kind: "answers"; message(call: TransportCallName, requestId: string): object }
  /** Reads the request, and closes the connection. */
  | { readonly kind: "hangs_up" }
  /** Reads the request, and sends nothing. */
  | { readonly kind: "stays_silent" }
  /** Sends half an answer, and nothing more. */
  | { readonly kind: "stalls" }
  /** Sends half an answer, and ends it. */
  | { readonly kind: "truncates" }
  /** Sends a correct answer to another request. */
  | { readonly kind: "answers_another" }
  /** Answers with success, without being a tillsync server: a captive portal. */
  | { readonly kind: "is_a_stranger" }
  /** Sends a correct answer, except that its message is none of the protocol. */
  | { readonly kind: "talks_nonsense" }
  /** Answers that there were too many requests, and to come back after `retryAfterMs` milliseconds. */
  | { readonly kind: "throttles"; readonly retryAfterMs: number }
  /** Answers that it failed: 500. */
  | { readonly kind: "fails" }
  /** Answers with a problem of this `code`, and with its `epoch` and `collections`. */
  | {
      readonly kind: "refuses";
      readonly code: ProblemCode;
      readonly epoch?: string | undefined;
      readonly collections?: readonly string[] | undefined;
    }
  /** Accepts no token. */
  | { readonly kind: "knows_nobody" };

/** A transport, and its peer. */
export interface TransportUnderTest {
  /** The transport to test. */
  readonly transport: Transport;
  /** How many requests have reached the peer. */
  received(): number;
  /** Ends the peer. Called after each case. */
  close(): Promise<void>;
}

/** Opens a transport to such a peer, with a deadline of about a second, and a token that doesn't change. */
export type OpenTransport = (peer: TransportPeer) => Promise<TransportUnderTest>;

/** One law, as a test. */
export interface TransportContractCase {
  /** The law, as a sentence. */
  readonly name: string;
  /** Rejects if the transport breaks the law. */
  run(open: OpenTransport): Promise<void>;
}

/** What the contract suites need of a test runner; Vitest, Jest and `node:test` have it. */
export interface ContractRunner {
  /** Registers a suite. */
  describe(name: string, body: () => void): unknown;
  /** Registers a test. */
  it(name: string, body: () => Promise<void>): unknown;
}

/**
 * Registers the transport contract with a test runner: one suite, with a test for each law. Laws of `live` are tested
 * if the transport has it.
 *
 * @param name what the transport is called in the report
 * @param open called once for each test
 * @example
 * ```ts
 * import { describeTransportContract } from "tillsync/testing";
 * import { describe, it } from "vitest";
 *
 * describeTransportContract({ describe, it }, "my transport", async (peer) => {
 *   const server = await startPeer(peer); // your own: behaves as `peer` says
 *   return {
 *     transport: myTransport({ url: server.url, timeoutMs: 1_000 }),
 *     received: () => server.received,
 *     close: () => server.close(),
 *   };
 * });
 * ```
 */
export function describeTransportContract(runner: ContractRunner, name: string, open: OpenTransport): void {
  runner.describe(`${name} keeps the laws of a transport`, () => {
    for (const { name: law, run } of transportContract()) runner.it(law, () => run(open));
  });
}

const REQUEST_ID = "019a9f3c-6a10-7000-8000-00000000a000";
const SERVER_TIME = 1_795_161_661_250;
const device = { id: "till-3", incarnation: "019a0000-1f00-7000-8000-00000000001c" };
const head = { device, epoch: "e1", marks: {} };
const pushed: PushRequest = { ...head, operations: [] };
const pulled: PullRequest = { ...head, schemaVersion: 1, collections: { products: null } };
const registered: RegisterRequest = { device, schemaVersion: 1 };

/** The correct answer to each call. */
function messageFor(call: TransportCallName, requestId: string): object {
  const serverTime = rfc3339(SERVER_TIME);
  const answer = { requestId, epoch: "e1", serverTime, mark: "m1", results: [] };
  switch (call) {
    case "time":
      return { serverTime };
    case "push":
      return answer;
    case "pull":
      return { ...answer, pages: { products: { changes: [], cursor: "c1", more: false } } };
    case "register":
      return {
        requestId,
        tenant: "t-1",
        device: { id: device.id, registeredAt: serverTime, number: 1 },
        epoch: "e1",
        lastSequence: 0,
        unsynced: [],
        serverTime,
      };
  }
}

const honest: TransportPeer = { kind: "answers", message: messageFor };
const calls: readonly TransportCallName[] = ["register", "push", "pull", "time"];

function send(transport: Transport, name: TransportCallName, call: TransportCall): Promise<TransportResult<unknown>> {
  switch (name) {
    case "register":
      return transport.register(registered, call);
    case "push":
      return transport.push(pushed, call);
    case "pull":
      return transport.pull(pulled, call);
    case "time":
      return transport.time(call);
  }
}

/** The failures that the transport must report, for each call. */
const failures: readonly { title: string; peer: TransportPeer; expected: Partial<Record<string, unknown>> }[] = [
  ...(["hangs_up", "truncates", "answers_another", "is_a_stranger", "talks_nonsense"] as const).map((kind) => ({
    title: `a peer that ${kind.replaceAll("_", " ")} is unreachable: what became of the request is unknown`,
    peer: { kind },
    expected: { kind: "unreachable" },
  })),
  {
    title: "a peer that throttles is reported with how long to wait",
    peer: { kind: "throttles", retryAfterMs: 5_000 },
    expected: { kind: "throttled", retryAfterMs: 5_000 },
  },
  {
    title: "a peer that fails is a server error",
    peer: { kind: "fails" },
    expected: { kind: "server_error" },
  },
  {
    title: "a refusal is reported with its code, the epoch and the collections",
    peer: { kind: "refuses", code: "resync_required", epoch: "e2", collections: ["products"] },
    expected: { kind: "refused", code: "resync_required", epoch: "e2", collections: ["products"] },
  },
];

/** The cases of the transport contract, for a runner of one's own. */
export function transportContract(): readonly TransportContractCase[] {
  return [
    ...calls.flatMap(lawsOfOneCall),
    ...(["stays_silent", "stalls"] as const).map((kind) =>
      law(
        `a peer that ${kind.replaceAll("_", " ")} holds up no call beyond its deadline`,
        { kind },
        async (subject) => {
          const results = await Promise.all(calls.map((call) => send(subject.transport, call, callOf())));
          for (const result of results) expectFailure(result, { kind: "unreachable", reason: "timeout" });
          const count = subject.received();
          check(count === calls.length, `${calls.length} requests, the peer got ${count}`);
        },
      ),
    ),
    ...(["register", "push", "pull"] as const).map((call) =>
      law(`${call}: a refused token is a failure of the session`, { kind: "knows_nobody" }, async ({ transport }) => {
        expectFailure(await send(transport, call, callOf()), { kind: "unauthorised", reason: "refused" });
      }),
    ),
    law("calls that run at the same time don't get each other's answers", honest, async ({ transport }) => {
      const ids = Array.from({ length: 8 }, (_, n) => `${REQUEST_ID.slice(0, -1)}${n}`);
      const answers = await Promise.all(ids.map((requestId) => transport.push(pushed, { ...callOf(), requestId })));
      const echoed = answers.map((answer) => (answer.ok ? answer.value.requestId : show(answer)));
      checkEqual(echoed, ids, "what was answered");
    }),
    law(
      "a live channel that is aborted reports once that it is closed",
      { kind: "stays_silent" },
      async ({ transport }) => {
        if (transport.live === undefined) return;
        const controller = new AbortController();
        let closed = 0;
        const first = new Promise<void>((resolve) => {
          const listener = {
            poke: () => {},
            closed: () => {
              closed++;
              resolve();
            },
          };
          transport.live?.(listener, callOf(controller.signal));
        });
        controller.abort();
        await first;
        await send(transport, "time", callOf(AbortSignal.abort()));
        check(closed === 1, `closed() once, it was called ${closed} times`);
      },
    ),
  ];
}

function lawsOfOneCall(call: TransportCallName): TransportContractCase[] {
  return [
    law(`${call}: returns the answer, with the server's clock`, honest, async ({ transport }) => {
      const answer = await send(transport, call, callOf());
      check(answer.ok, `an answer, got ${show(answer)}`);
      const wanted = messageFor(call, REQUEST_ID);
      check(deepEqual(answer.value as Json, wanted as Json), `${show(wanted)}, got ${show(answer.value)}`);
      const { serverTime, roundTripMs } = answer.timing;
      check(serverTime === SERVER_TIME, `the server's time ${SERVER_TIME}, got ${serverTime}`);
      check(roundTripMs >= 0, `a round trip of 0 ms or more, got ${roundTripMs}`);
    }),
    ...failures.map(({ title, peer, expected }) =>
      law(`${call}: ${title}, and is sent once`, peer, async ({ transport, received }) => {
        expectFailure(await send(transport, call, callOf()), expected);
        check(received() === 1, `one request, the peer got ${received()}`);
      }),
    ),
    law(`${call}: if it is aborted before it begins, it is never sent`, honest, async ({ transport, received }) => {
      expectFailure(await send(transport, call, callOf(AbortSignal.abort())), { kind: "aborted" });
      check(received() === 0, `no request, the peer got ${received()}`);
    }),
    law(
      `${call}: if it is aborted while it waits, it ends at once`,
      { kind: "stays_silent" },
      async ({ transport }) => {
        const controller = new AbortController();
        const running = send(transport, call, callOf(controller.signal));
        controller.abort();
        expectFailure(await running, { kind: "aborted" });
      },
    ),
  ];
}

function law(
  name: string,
  peer: TransportPeer,
  body: (subject: TransportUnderTest) => Promise<void>,
): TransportContractCase {
  return {
    name,
    async run(open) {
      const subject = await open(peer);
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    },
  };
}

function callOf(signal: AbortSignal = new AbortController().signal): TransportCall {
  return { device: device.id, requestId: REQUEST_ID, signal };
}

function expectFailure(result: TransportResult<unknown>, expected: Partial<Record<string, unknown>>): void {
  check(!result.ok, `${show(expected)}, got an answer`);
  const failure: TransportFailure & Partial<Record<string, unknown>> = result.failure;
  const same = Object.entries(expected).every(([member, value]) => show(failure[member]) === show(value));
  check(same, `${show(expected)}, got ${show(failure)}`);
}
