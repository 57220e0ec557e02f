/** What goes into a push, of whatever outbox: nothing ahead of what it needs, nothing beyond the limits, and nobody waits for ever (L6, L7, L11). */
import fc from "fast-check";
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import type { LocalChange } from "../../../src/client/decide/local-write.ts";
import { type Selected, selectBatch } from "../../../src/client/decide/selection.ts";
import {
  isCommercial,
  isIn,
  isOpen,
  isReplayed,
  isWaiting,
  type StoredOperation,
  subjectOf,
} from "../../../src/client/state/operation.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { times } from "../../support/property.ts";
import {
  applied,
  blocked,
  conflict,
  create,
  DecisionTill,
  increment,
  quarantined,
  rejected,
  remove,
  update,
} from "../support/decision-till.ts";

/** Everything may name everything: what was made before it, with it, or later. */
const named = { cardId: z.string().optional(), billId: z.string().optional(), tagId: z.string().optional() };
const references = { cardId: "cards", billId: "bills", tagId: "tags" };
const shop = {
  cards: defineCollection({
    schema: z.object({ name: z.string(), points: z.int().default(0), ...named }),
    counters: ["points"],
    references,
    conflict: manual(),
  }),
  tags: defineCollection({ schema: z.object({ name: z.string(), ...named }), references, conflict: manual() }),
  bills: defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int(), ...named }), references }),
  logs: defineCollection({ schema: z.object({ name: z.string(), ...named }), references, priority: "low" }),
};

const record = fc.constantFrom("cards", "tags", "logs");
const id = fc.constantFrom("1", "2", "3");
const names = fc.record({ cardId: id, billId: id, tagId: id }, { requiredKeys: [] });
const change: fc.Arbitrary<LocalChange> = fc.oneof(
  fc.tuple(record, id, names).map(([name, at, to]) => create(name, at, { name: "A", ...to })),
  fc.tuple(id, names, fc.nat(2)).map(([at, to, points]) => create("cards", at, { name: "A", points, ...to })),
  fc
    .tuple(record, id, names, fc.string({ maxLength: 3 }))
    .map(([name, at, to, n]) => update(name, at, { name: n, ...to })),
  fc.tuple(record, id).map(([name, at]) => remove(name, at)),
  fc.tuple(id, names).map(([at, to]) => create("bills", at, { totalCents: 1, ...to })),
  fc.tuple(id, fc.integer({ min: 1, max: 3 })).map(([at, points]) => increment("cards", at, { points })),
);
type Verdict = "applied" | "conflict" | "rejected" | "quarantined" | "blocked";
interface Step {
  readonly write?: readonly LocalChange[];
  readonly answer?: readonly [which: number, verdict: Verdict];
}
const verdict = fc.constantFrom<Verdict>("applied", "conflict", "rejected", "quarantined", "blocked");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }).map((write) => ({ write })) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(30), verdict).map((answer) => ({ answer })) },
  { weight: 1, arbitrary: fc.constant({}) },
);
const day = fc.array(step, { minLength: 1, maxLength: 14 });

/** The outbox of a till after such a day. */
function after(steps: readonly Step[]): DecisionTill {
  const till = new DecisionTill(shop);
  for (const name of ["cards", "tags"]) till.pull(name, { id: "1", version: 10, data: { name: "0" } });
  let epoch = 1;
  for (const { write, answer } of steps)
    if (write !== undefined) attempt(() => till.write(write));
    else if (answer !== undefined) judge(till, ...answer);
    else till.follow(`e${++epoch}`);
  return till;
}
function attempt(write: () => void): void {
  try {
    write();
  } catch (error) {
    // There is one already, or there is none: its author was told.
    if (!isTillSyncError(error) || error.code === "internal") throw error;
  }
}
let version = 1_000;
/** Of what was sent, and so of what could be: a server judges nothing else. */
function judge(till: DecisionTill, which: number, verdict: Verdict): void {
  const sent = select(till);
  const operation = sent[which % Math.max(1, sent.length)]?.operation;
  if (operation === undefined) return;
  version += 1;
  const isFree = isCommercial(operation) || operation.action === "void";
  const siblings = sent.map((one) => one.operation).filter((o) => o.group !== undefined && o.group === operation.group);
  const others = siblings.filter((o) => o.id !== operation.id).map((o) => blocked(o, operation));
  const row = { version, data: { name: "S" } };
  if (verdict === "blocked") till.answer(blocked(operation));
  else if (verdict === "quarantined" && operation.kind === "fact") till.answer(quarantined(operation));
  else if (isFree || verdict === "applied" || verdict === "quarantined") till.answer(answered(operation));
  else if (verdict === "conflict") till.answer(conflict(operation, ["name"], row), ...others);
  else till.answer(rejected(operation, "not_permitted", { server: row }), ...others);
}
function answered(operation: StoredOperation) {
  version += 1;
  return applied(operation, version, operation.action === "delete" ? { deleted: true } : {});
}

interface Choice {
  readonly maxOperations: number;
  readonly maxBytes: number;
  readonly lanes: readonly number[];
  readonly skipped: number;
}
const ample: Choice = { maxOperations: 10_000, maxBytes: 1e9, lanes: [0, 1, 2], skipped: -1 };
const choice: fc.Arbitrary<Choice> = fc.record({
  maxOperations: fc.integer({ min: 1, max: 8 }),
  maxBytes: fc.integer({ min: 1, max: 6_000 }),
  lanes: fc.constantFrom([0, 1, 2], [1, 0, 2], [2, 1, 0]),
  skipped: fc.integer({ min: -10, max: 20 }),
});

/** As the outbox is read: what a restore brought back, then lane by lane, then what was woken. */
function candidatesOf(till: DecisionTill, lanes: readonly number[]): readonly StoredOperation[] {
  const place = ({ status, lane }: StoredOperation) =>
    status.state === "blocked" ? 9 : status.state === "pending" && status.resend ? -1 : lanes.indexOf(lane);
  return [...till.operations.values()]
    .filter((o) => isIn(o, "pending") || (isIn(o, "blocked") && o.status.blockedInRound < till.queue.unblockRound))
    .sort((a, b) => place(a) - place(b) || a.rank - b.rank);
}
function select(till: DecisionTill, { maxOperations, maxBytes, lanes, skipped }: Choice = ample): readonly Selected[] {
  return selectBatch({
    candidates: candidatesOf(till, lanes),
    others: [...till.operations.values()].filter((o) => isReplayed(o) || isIn(o, "rejected")),
    limits: { maxOperations, maxBytes },
    skip: ({ sequence }) => sequence === skipped,
  });
}
const unitOf = ({ group, id }: StoredOperation) => group ?? id;
const isOnDesk = (o: StoredOperation) => isIn(o, "conflict", "rejected");
const isEdit = (o: StoredOperation) => !isCommercial(o) && o.action !== "void";
const isOpenEdit = (o: StoredOperation) => isEdit(o) && isOpen(o);
const subject = (o: StoredOperation) => subjectOf(o.collection, o.entityId);
/** By its transaction, its row, or what it names. A rejected one holds its transaction, and nobody else. */
function isNeeded(other: StoredOperation, by: StoredOperation): boolean {
  if (unitOf(other) === unitOf(by)) return other.id !== by.id;
  if (!isOpen(other)) return false;
  return (subject(other) === subject(by) && other.rank < by.rank) || (by.references ?? []).includes(subject(other));
}

test("a batch keeps its limits, but for one transaction that is larger by itself, and no transaction is split", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const till = after(steps);
      const batch = select(till, limits).map(({ operation }) => operation);
      const units = new Set(batch.map(unitOf));
      if (units.size > 1) {
        expect(batch.length).toBeLessThanOrEqual(limits.maxOperations);
        expect(batch.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(limits.maxBytes);
      }
      for (const candidate of candidatesOf(till, limits.lanes))
        if (units.has(unitOf(candidate))) expect(batch).toContain(candidate);
      const isWanting = (o: StoredOperation) => isEdit(o) && (isOpen(o) || isOnDesk(o)) && units.has(unitOf(o));
      for (const member of till.operations.values()) if (isWanting(member)) expect(batch).toContain(member);
      for (const { sequence } of batch) expect(sequence).not.toBe(limits.skipped);
      expect(new Set(batch.map(({ id }) => id)).size).toBe(batch.length);
    }),
    times(300),
  );
});

test("no edit goes ahead of an earlier one of its row, and none over one that is in conflict", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const till = after(steps);
      const batch = select(till, limits).map(({ operation }) => operation);
      for (const [place, operation] of batch.entries()) {
        if (!isEdit(operation)) continue;
        const earlier = [...till.operations.values()].filter(
          (o) => isOpenEdit(o) && subject(o) === subject(operation) && o.rank < operation.rank,
        );
        for (const one of earlier) expect(batch.slice(0, place)).toContain(one);
      }
    }),
    times(1_500),
  );
});

test("what an operation is told to wait for goes before it in the same push, or lies on a desk where no sale waits for it", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const till = after(steps);
      const batch = select(till, limits);
      for (const [place, { operation, after: first }] of batch.entries())
        for (const id of first) {
          const isBefore = batch.slice(0, place).some((one) => one.operation.id === id);
          const one = till.stored({ id });
          expect(isBefore || (isOnDesk(one) && isCommercial(operation))).toBe(true);
          expect(unitOf(one)).not.toBe(unitOf(operation));
        }
    }),
    times(300),
  );
});

test("the first that is sent is the first in line that can go, or what that one needs", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const till = after(steps);
      const able = new Set(
        select(till, { ...limits, maxOperations: 10_000, maxBytes: 1e9 }).map((one) => one.operation.id),
      );
      const line = candidatesOf(till, limits.lanes);
      const first = line.findIndex(({ id }) => able.has(id));
      const batch = select(till, limits);
      if (first === -1) return void expect(batch).toEqual([]);
      // What those need that stand before it goes too, though they themselves can't.
      const wanted = new Set(line.slice(0, first + 1));
      for (const one of wanted)
        for (const other of till.operations.values()) if (isNeeded(other, one)) wanted.add(other);
      expect(wanted).toContain(batch[0]?.operation);
    }),
    times(300),
  );
});

/** Sends until nothing goes, the server taking everything, and a minute passing where nothing went. Answers what is left. */
function drained(till: DecisionTill, limits: Choice): readonly StoredOperation[] {
  const waiting = () => [...till.operations.values()].filter(isWaiting);
  for (let idle = 0; idle < 2; ) {
    const batch = select(till, limits);
    idle = batch.length === 0 ? idle + 1 : 0;
    if (batch.length > 0) till.answer(...batch.map(({ operation }) => answered(operation)));
    const workspace = till.open();
    workspace.unblock();
    till.commit(workspace);
  }
  return waiting();
}

test("whatever lies on desks, every sale and every count reaches the server, in pushes of whatever size", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const left = drained(after(steps), { ...limits, skipped: -1 });
      expect(left.filter(isCommercial)).toEqual([]);
    }),
    times(300),
  );
});

test("what is left in the end waits for a desk, by its row, its transaction or what it names; without desks nothing is", () => {
  fc.assert(
    fc.property(day, choice, (steps, limits) => {
      const till = after(steps);
      const left = drained(till, { ...limits, skipped: -1 });
      const all = [...till.operations.values()];
      const held = new Set(all.filter((o) => isOnDesk(o) && !isCommercial(o)));
      for (let size = -1; size < held.size; ) {
        size = held.size;
        for (const operation of left) {
          if ([...held].some((other) => isNeeded(other, operation))) held.add(operation);
        }
      }
      expect(left.filter((operation) => !held.has(operation))).toEqual([]);
    }),
    times(300),
  );
});
