/** A line of so many bytes a second between a till and the server, in virtual time. */
import type { FakeClock } from "tillsync/testing";
import type { Transport, TransportCall, TransportResult } from "../../../src/client/ports/transport.ts";

export interface SlowLine {
  /** Bytes a second, from the till to the server, and back. */
  up: number;
  down: number;
  /** The bytes of each request, and of its answer if the line began to send it. */
  readonly sent: { readonly path: "push" | "pull"; readonly up: number; down?: number; arrived: boolean }[];
}

const DEADLINE_MS = 30_000;
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

export function slowLine(clock: FakeClock, transport: Transport): SlowLine & { readonly transport: Transport } {
  const line: SlowLine = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY, sent: [] };
  const over = <Q, A>(
    path: "push" | "pull",
    send: (request: Q, call: TransportCall) => Promise<TransportResult<A>>,
  ) => {
    return async (request: Q, call: TransportCall): Promise<TransportResult<A>> => {
      const entry: SlowLine["sent"][number] = { path, up: bytes(request), arrived: false };
      line.sent.push(entry);
      const upMs = Math.round((entry.up / line.up) * 1_000);
      await clock.sleep(Math.min(upMs, DEADLINE_MS));
      if (upMs >= DEADLINE_MS) return tooLate;
      const answer = await send(request, call);
      if (!answer.ok) return answer;
      entry.down = bytes(answer.value);
      const downMs = Math.round((entry.down / line.down) * 1_000);
      await clock.sleep(Math.min(downMs, DEADLINE_MS - upMs));
      entry.arrived = upMs + downMs < DEADLINE_MS;
      return entry.arrived ? answer : tooLate;
    };
  };
  return Object.assign(line, {
    transport: { ...transport, push: over("push", transport.push), pull: over("pull", transport.pull) },
  });
}

const tooLate = { ok: false, failure: { kind: "unreachable", reason: "timeout" } } as const;
