/** A client that sends whatever a test wants it to, message by message. */
import { seededRandom } from "tillsync/testing";
import { expect } from "vitest";
import type { FinalResult, OperationResult, PullPage } from "../../src/protocol/types.ts";

type Members = Record<string, unknown>;
type Call = (
  token: string,
  method: string,
  path: string,
  body?: unknown,
  device?: string,
) => Promise<{
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  readonly body: any;
}>;
type Sketch = Members & { readonly action: string };

/** A client without a store or a loop. */
export class RulePeer {
  readonly device: string;
  token: string;
  incarnation = "00000000-0000-4000-8000-000000000001";
  epoch = "";
  marks: { push?: string; pull?: string } = {};
  sequence = 0;
  readonly #call: Call;
  readonly #random = seededRandom(99);

  constructor(call: Call, token: string, device: string) {
    this.#call = call;
    this.token = token;
    this.device = device;
  }

  async register() {
    const device = { id: this.device, incarnation: this.incarnation };
    const answer = await this.#call(this.token, "POST", "/register", { device, schemaVersion: 1 }, this.device);
    this.epoch = answer.body.epoch ?? this.epoch;
    return answer;
  }

  /** Completes an operation with the members that every operation has. */
  make(sketch: Sketch): Members & { id: string } {
    const head = {
      id: this.#random.uuid(),
      sequence: ++this.sequence,
      schemaVersion: 1,
      occurredAt: "2026-11-20T08:00:00.000Z",
    };
    return { ...head, ...sketch } as Members & { id: string };
  }

  async send(operations: readonly Members[] | string) {
    const head = { device: { id: this.device, incarnation: this.incarnation }, epoch: this.epoch, marks: this.marks };
    const body =
      typeof operations === "string"
        ? JSON.stringify({ ...head, operations: "HERE" }).replace('"HERE"', operations)
        : { ...head, operations };
    const answer = await this.#call(this.token, "POST", "/push", body, this.device);
    if (answer.status === 200) this.marks = { ...this.marks, push: answer.body.mark };
    return answer;
  }
  /** One result for each operation, in their order. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what each status has
  async push(...operations: readonly Members[]): Promise<readonly (OperationResult & { [member: string]: any })[]> {
    const { status, body } = await this.send(operations);
    if (status !== 200) throw new Error(`push: ${status} ${JSON.stringify(body)}`);
    return operations.map(({ id }) => {
      const found = (body.results as FinalResult[]).filter((result) => result.id === id);
      expect(found, "one result for each operation").toHaveLength(1);
      return found[0] as FinalResult;
    });
  }
  async pull(collections: Record<string, string | null>, limit?: number) {
    const device = { id: this.device, incarnation: this.incarnation };
    const request = { device, epoch: this.epoch, marks: this.marks, schemaVersion: 1, collections, limit };
    const answer = await this.#call(this.token, "POST", "/pull", request, this.device);
    if (answer.status === 200) this.marks = { ...this.marks, pull: answer.body.mark };
    return answer as {
      status: number;
      body: { pages: Record<string, PullPage>; results: FinalResult[]; code?: string; epoch?: string };
    };
  }
}
