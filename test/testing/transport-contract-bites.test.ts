/**
 * Every case of the transport contract can fail: for each there is a fault, planted around a transport that keeps every law, that the
 * case finds. A case without a row here fails the test, and so does a fault that its case does not find.
 */
import { expect, test } from "vitest";
import type { LiveListener, Transport, TransportCall, TransportResult } from "../../src/client/ports/transport.ts";
import {
  type TransportCallName,
  type TransportPeer,
  type TransportUnderTest,
  transportContract,
} from "../../src/testing/transport-contract.ts";

type Result = TransportResult<never>;
type Send = (name: TransportCallName, call: TransportCall) => Promise<Result>;
/** What a faulty transport does differently. */
interface Fault {
  send?(send: Send): Send;
  live?(live: NonNullable<Transport["live"]>): NonNullable<Transport["live"]>;
}

const DEADLINE_MS = 30;
const SERVER_TIME = 1_795_161_661_250;
const calls = ["register", "push", "pull", "time"] as const;

const failed = (failure: Extract<Result, { ok: false }>["failure"]): Result => ({ ok: false, failure });
const unreachable = (reason: "network" | "timeout" | "foreign_answer") => failed({ kind: "unreachable", reason });

/** Keeps every law: what the peer does is known without a network. */
function lawful(peer: TransportPeer) {
  let received = 0;
  const send: Send = async (name, { requestId, signal }) => {
    if (signal.aborted) return failed({ kind: "aborted" });
    received += 1;
    switch (peer.kind) {
      case "answers": {
        const value = peer.message(name, requestId) as never;
        return { ok: true, value, timing: { serverTime: SERVER_TIME, roundTripMs: 1 } };
      }
      case "throttles":
        return failed({ kind: "throttled", retryAfterMs: peer.retryAfterMs });
      case "fails":
        return failed({ kind: "server_error", status: 500 });
      case "refuses":
        return failed({ ...peer, kind: "refused", status: 409, detail: "" });
      case "knows_nobody":
        return failed({ kind: "unauthorised", reason: "refused" });
      case "stays_silent":
      case "stalls":
        return new Promise((resolve) => {
          const timer = setTimeout(() => resolve(unreachable("timeout")), DEADLINE_MS);
          signal.addEventListener("abort", () => {
            clearTimeout(timer);
            resolve(failed({ kind: "aborted" }));
          });
        });
      default:
        return unreachable("foreign_answer");
    }
  };
  const live = ({ closed }: LiveListener, { signal }: TransportCall) =>
    signal.addEventListener("abort", () => closed(), { once: true });
  return { send, live, received: () => received };
}

async function open(peer: TransportPeer, fault: Fault): Promise<TransportUnderTest> {
  const { send: sent, live, received } = lawful(peer);
  const send = fault.send?.(sent) ?? sent;
  const transport: Transport = {
    kind: "lawful",
    "~port": "transport",
    register: (_, call) => send("register", call),
    push: (_, call) => send("push", call),
    pull: (_, call) => send("pull", call),
    time: (call) => send("time", call),
    live: fault.live?.(live) ?? live,
  };
  return { transport, received, close: async () => {} };
}

const changing = (change: (result: Result) => Result): Fault => ({
  send: (send) => async (name, call) => change(await send(name, call)),
});
const changingFailure = (change: (failure: Extract<Result, { ok: false }>["failure"]) => Result): Fault =>
  changing((result) => (result.ok ? result : change(result.failure)));
/** It takes for an answer whatever has come. */
const credulous = changingFailure(() => ({
  ok: true,
  value: {} as never,
  timing: { serverTime: SERVER_TIME, roundTripMs: 1 },
}));
const withoutSignal = (call: TransportCall): TransportCall => ({ ...call, signal: new AbortController().signal });
const ignoringAbort: Fault = { send: (send) => (name, call) => send(name, withoutSignal(call)) };
/** It sends a request again that has failed. */
const retrying: Fault = {
  send: (send) => async (name, call) => {
    const first = await send(name, call);
    return first.ok ? first : send(name, call);
  },
};

const unreachablePeers = ["hangs up", "truncates", "answers another", "is a stranger", "talks nonsense"];
/** By the name of the case, for each call. */
const faultsOfOneCall: Readonly<Record<string, Fault>> = {
  "returns the answer, with the server's clock": changing((result) =>
    result.ok ? { ...result, timing: { ...result.timing, serverTime: SERVER_TIME - 1 } } : result,
  ),
  ...Object.fromEntries(
    unreachablePeers.map((peer, at) => [
      `a peer that ${peer} is unreachable: what became of the request is unknown, and is sent once`,
      at % 2 === 0 ? credulous : retrying,
    ]),
  ),
  "a peer that throttles is reported with how long to wait, and is sent once": changingFailure(() =>
    failed({ kind: "throttled" }),
  ),
  "a peer that fails is a server error, and is sent once": changingFailure(() => unreachable("network")),
  "a refusal is reported with its code, the epoch and the collections, and is sent once": changingFailure((failure) =>
    failed({ ...failure, collections: undefined } as typeof failure),
  ),
  "if it is aborted before it begins, it is never sent": ignoringAbort,
  "if it is aborted while it waits, it ends at once": ignoringAbort,
};

const isLate = changingFailure((failure) =>
  failure.kind === "unreachable" ? unreachable("network") : failed(failure),
);

const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    calls.flatMap((call) => Object.entries(faultsOfOneCall).map(([name, fault]) => [`${call}: ${name}`, fault])),
  ),
  "a peer that stays silent holds up no call beyond its deadline": isLate,
  "a peer that stalls holds up no call beyond its deadline": retrying,
  ...Object.fromEntries(
    (["register", "push", "pull"] as const).map((call) => [
      `${call}: a refused token is a failure of the session`,
      changingFailure(() => failed({ kind: "unauthorised", reason: "no_token" })),
    ]),
  ),
  "calls that run at the same time don't get each other's answers": {
    send(send) {
      let running: Promise<Result> | undefined;
      return (name, call) => {
        running ??= send(name, call);
        return running;
      };
    },
  },
  "a live channel that is aborted reports once that it is closed": {
    live: (live) => (listener, call) => {
      live(listener, call);
      live(listener, call);
    },
  },
};

const cases = transportContract();

test("each case has a fault, and each fault a case", () => {
  expect(Object.keys(faults).sort()).toEqual(cases.map(({ name }) => name).sort());
});

test.each(cases.map((one) => [one.name, one] as const))("without a fault it passes: %s", (_, { run }) =>
  expect(run((peer) => open(peer, {}))).resolves.toBeUndefined(),
);

test.each(cases.map((one) => [one.name, one] as const))("it finds its fault: %s", (name, { run }) =>
  expect(run((peer) => open(peer, faults[name] ?? {}))).rejects.toThrow("Expected"),
);
