/**
 * What a liar knows of the others: in the worst case whatever they have sent and were answered. It learns of what they have sent when it is
 * answered. What has not arrived is told to it apart (Liar.unseen): only where a lie is about that.
 */
import type { OperationResult, PushRequest, WireOperation } from "../../../src/protocol/types.ts";

/** What a till might say after a restore that it was told. */
export interface HeardResult {
  readonly id: string;
  readonly epoch: string;
  readonly version: number;
  readonly assigned?: object | undefined;
  readonly receipt?: string | undefined;
}

interface Answer {
  readonly epoch?: string;
  readonly mark?: string;
  readonly results?: readonly OperationResult[];
  readonly pages?: Readonly<Record<string, { readonly cursor: string }>>;
}
type Asked = Partial<PushRequest>;

/** The newest are remembered. */
const MOST = 300;

export class Overheard {
  readonly operations = new Map<string, WireOperation>();
  readonly results = new Map<string, HeardResult>();
  readonly epochs = new Set<string>();
  readonly marks = new Set<string>();
  readonly cursors = new Map<string, string>();
  /** Of each incarnation of another till the highest sequence number. */
  readonly sequences = new Map<string, number>();

  note({ device, operations = [] }: Asked, { epoch, mark, results = [], pages = {} }: Answer): void {
    const answered = new Set(results.map(({ id }) => id));
    for (const operation of operations) {
      if (!answered.has(operation.id)) continue;
      remember(this.operations, operation.id, operation);
      if (device === undefined) continue;
      const highest = Math.max(this.sequences.get(device.incarnation) ?? 0, operation.sequence);
      this.sequences.set(device.incarnation, highest);
    }
    if (epoch !== undefined) this.epochs.add(epoch);
    if (mark !== undefined) this.marks.add(mark);
    for (const [collection, { cursor }] of Object.entries(pages)) remember(this.cursors, cursor, collection);
    if (epoch === undefined) return;
    for (const result of results) {
      if (result.status !== "applied") continue;
      const { id, version, assigned, receipt } = result as typeof result & { readonly receipt?: string };
      remember(this.results, id, { id, epoch, version, assigned, receipt });
    }
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MOST) map.delete(map.keys().next().value as string);
}
