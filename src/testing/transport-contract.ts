/**
 * The laws of the Transport port as runnable cases.
 *
 *     describeTransportContract({ describe, it }, "http", open);
 *
 * Each case plays the server through `open`: "answer like this", "hang up", "never answer". How a peer does that is the
 * adapter's own: over HTTP it is a server on the loopback, for another backend's dialect whatever stands in for it. A case
 * rejects where a law is broken, and knows nothing of the test framework around it.
 */
import type { Transport, TransportCall, TransportFailure, TransportResult } from "../client/ports/transport.ts";
import type { ProblemCode } from "../protocol/codes.ts";
import type { PullRequest, PushRequest, RegisterRequest } from "../protocol/types.ts";
import { deepEqual, type Json } from "../shared/json.ts";
import { rfc3339 } from "../shared/rfc3339.ts";
import { check, checkEqual, show } from "./check.ts";

export type TransportCallName = "register" | "push" | "pull" | "time";

/** What the other end does with every request that it gets. */
export type TransportPeer =
  /** A whole and right answer; the message for each call. */
  | { readonly kind: "answers"; message(call: TransportCallName, requestId: string): object }
  /** Takes the request and closes the connection. */
  | { readonly kind: "hangs_up" }
  /** Takes the request and says nothing. */
  | { readonly kind: "stays_silent" }
  /** Half an answer, and nothing more. */
  | { readonly kind: "stalls" }
  /** Half an answer, and the end of it. */
  | { readonly kind: "truncates" }
  /** A right answer, to another request. */
  | { readonly kind: "answers_another" }
  /** Success, by somebody who is no tillsync server. */
  | { readonly kind: "is_a_stranger" }
  /** A right answer in form, whose message is not one of the protocol. */
  | { readonly kind: "talks_nonsense" }
  | { readonly kind: "throttles"; readonly retryAfterMs: number }
  | { readonly kind: "fails" }
  | {
      readonly kind: "refuses";
      readonly code: ProblemCode;
      readonly epoch?: string | undefined;
      readonly collections?: readonly string[] | undefined;
    }
  /** Takes no token at all. */
  | { readonly kind: "knows_nobody" };

export interface TransportUnderTest {
  readonly transport: Transport;
  /** How many requests have reached the peer. */
  received(): number;
  close(): Promise<void>;
}

/** A transport with a deadline of a second or so, signed in with a token that does not change. */
export type OpenTransport = (peer: TransportPeer) => Promise<TransportUnderTest>;

export interface TransportContractCase {
  readonly name: string;
  run(open: OpenTransport): Promise<void>;
}

/** The part of a test runner that is used; vitest, jest and node:test all have it. */
export interface ContractRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

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

/** The right answer of each call. */
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

/** The failures that a peer must show as, whatever was called. */
const failures: readonly { title: string; peer: TransportPeer; expected: Partial<Record<string, unknown>> }[] = [
  ...(["hangs_up", "truncates", "answers_another", "is_a_stranger", "talks_nonsense"] as const).map((kind) => ({
    title: `a peer that ${kind.replaceAll("_", " ")} is unreachable: nobody knows what became of the request`,
    peer: { kind },
    expected: { kind: "unreachable" },
  })),
  {
    title: "a peer that throttles says for how long",
    peer: { kind: "throttles", retryAfterMs: 5_000 },
    expected: { kind: "throttled", retryAfterMs: 5_000 },
  },
  {
    title: "a peer that fails is a server error",
    peer: { kind: "fails" },
    expected: { kind: "server_error" },
  },
  {
    title: "a refusal comes with its code, the epoch and the collections",
    peer: { kind: "refuses", code: "resync_required", epoch: "e2", collections: ["products"] },
    expected: { kind: "refused", code: "resync_required", epoch: "e2", collections: ["products"] },
  },
];

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
      law(
        `${call}: a token that is refused is the session's trouble`,
        { kind: "knows_nobody" },
        async ({ transport }) => {
          expectFailure(await send(transport, call, callOf()), { kind: "unauthorised", reason: "refused" });
        },
      ),
    ),
    law("calls that run at the same time do not take each other's answers", honest, async ({ transport }) => {
      const ids = Array.from({ length: 8 }, (_, n) => `${REQUEST_ID.slice(0, -1)}${n}`);
      const answers = await Promise.all(ids.map((requestId) => transport.push(pushed, { ...callOf(), requestId })));
      const echoed = answers.map((answer) => (answer.ok ? answer.value.requestId : show(answer)));
      checkEqual(echoed, ids, "what was answered");
    }),
    law(
      "a live channel that is called off says once that it is closed",
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
        check(closed === 1, `closed() once, it came ${closed} times`);
      },
    ),
  ];
}

function lawsOfOneCall(call: TransportCallName): TransportContractCase[] {
  return [
    law(`${call}: gives the answer, with the server's clock`, honest, async ({ transport }) => {
      const answer = await send(transport, call, callOf());
      check(answer.ok, `an answer, got ${show(answer)}`);
      const wanted = messageFor(call, REQUEST_ID);
      check(deepEqual(answer.value as Json, wanted as Json), `${show(wanted)}, got ${show(answer.value)}`);
      const { serverTime, roundTripMs } = answer.timing;
      check(serverTime === SERVER_TIME, `the server's time ${SERVER_TIME}, got ${serverTime}`);
      check(roundTripMs >= 0, `a round trip of 0 ms or more, got ${roundTripMs}`);
    }),
    ...failures.map(({ title, peer, expected }) =>
      law(`${call}: ${title}, and is asked once`, peer, async ({ transport, received }) => {
        expectFailure(await send(transport, call, callOf()), expected);
        check(received() === 1, `one request, the peer got ${received()}`);
      }),
    ),
    law(`${call}: called off before it began, it never leaves`, honest, async ({ transport, received }) => {
      expectFailure(await send(transport, call, callOf(AbortSignal.abort())), { kind: "aborted" });
      check(received() === 0, `no request, the peer got ${received()}`);
    }),
    law(`${call}: called off while it waits, it ends at once`, { kind: "stays_silent" }, async ({ transport }) => {
      const controller = new AbortController();
      const running = send(transport, call, callOf(controller.signal));
      controller.abort();
      expectFailure(await running, { kind: "aborted" });
    }),
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
