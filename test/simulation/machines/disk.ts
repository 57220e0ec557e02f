/**
 * A till's disk as one of its tabs sees it: the memory adapter behind a gate, at which steps fail, wait, are the last, or are done without
 * anybody being told.
 *
 * What is checked here is checked at every commit: a drainer whose fence is old changes nothing (S8), and what is stored agrees with itself.
 */
import { TillSyncError } from "tillsync";
import {
  get,
  type StorageAdapter,
  type StorageConnection,
  type StorageHooks,
  type StorageMarker,
  type StorageScript,
  type StorageWrite,
  type TransactOptions,
} from "../../../src/client/ports/storage.ts";
import { SYNC, type SyncPoint } from "../../../src/client/state/meta.ts";
import type { StoredOperation } from "../../../src/client/state/operation.ts";
import { META, OPERATIONS } from "../../../src/client/state/tables.ts";
import type { MemoryAdapter } from "../../../src/storage/memory/memory.ts";
import { judgeAnswer } from "../invariants/commits.ts";
import { judgeFailedAnswer } from "../invariants/flight.ts";
import { judgeLabels } from "../invariants/labels.ts";
import { seenBy } from "./seen.ts";
import type { Tab } from "./tab.ts";

/** What becomes of a step. `crash_after`, `silent`: it is done, and nobody hears of it. */
export type StepFault = "freeze" | "slow" | "fail" | "full" | "silent" | "crash_before" | "crash_after";

/** What only the drainer writes. */
const FENCED = new Set(["answer", "park", "sweep", "register", "epoch", "fork", "resync"]);
const WATCHDOG_MS = 10_000;
/** A busy machine: meanwhile the other lane may ask once more, be told of another epoch or of a clone, and write that first. */
const SLOW_MS = 9_000;
/** Until another one has taken its lock, or its lease has run out. */
const STANDS_STILL_MS = 25_000;

export function diskOf(tab: Tab, disk: MemoryAdapter, marker: StorageMarker): StorageAdapter {
  const { machine } = tab;
  const { world } = machine;

  /** Each step in turn, with what was planned for it. */
  async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (what !== "transact answer") return stepOf(what, work);
    tab.answersAtDisk += 1;
    return stepOf(what, work).finally(() => {
      tab.answersAtDisk -= 1;
    });
  }

  async function stepOf<T>(what: string, work: () => Promise<T>): Promise<T> {
    machine.steps += 1;
    const fault = machine.nextStepFault(tab, what);
    if (fault === "crash_before" || (machine.isFirst && world.reaches("disk_before"))) machine.crash(`at ${what}`);
    // Never answered to a tab that is dead: nothing that it would have done next happens.
    await tab.through(world.timeline.wait(machine.diskMs()));
    if ((fault === "fail" || fault === "full") && what === "transact answer") judgeFailedAnswer(tab);
    if (fault === "fail") throw unavailable("The platform refused.");
    if (fault === "full" && what.startsWith("transact"))
      throw new TillSyncError("storage_full", "There is no space left.", {
        usedBytes: undefined,
        quotaBytes: undefined,
      });
    if (fault === "silent") {
      if (machine.draw.chance(0.5)) await Promise.allSettled([work()]);
      await tab.through(world.timeline.wait(WATCHDOG_MS));
      throw unavailable("The platform does not answer.");
    }
    if (fault === "slow") await tab.through(world.timeline.wait(machine.draw.int(50, SLOW_MS)));
    if (fault === "freeze") {
      machine.freezeUntilRobbed(tab, STANDS_STILL_MS);
      await tab.through(Promise.resolve());
    }
    const result = work();
    if (fault === "crash_after" || (machine.isFirst && world.reaches("disk_after"))) {
      await Promise.allSettled([result]);
      machine.crash(`after ${what}`);
    }
    return tab.through(result);
  }

  function wrapped(inner: StorageConnection): StorageConnection {
    return {
      get: (table, keys) => step("get", () => inner.get(table, keys)),
      scan: (table, options) => step("scan", () => inner.scan(table, options)),
      count: (table, options) => step("count", () => inner.count(table, options)),
      transact: (options, script) =>
        step(`transact ${options.label ?? ""}`, () => inner.transact(options, () => seen(options, script))),
      estimate: () =>
        step("estimate", async () => ({ persisted: true, usedBytes: 1, quotaBytes: 1e9, full: machine.isFull })),
      close: () => inner.close(),
      destroy: () => inner.destroy(),
    };
  }

  /** Looks at what a script is about to write: it is committed in the same breath. */
  function* seen<T>(options: TransactOptions, script: () => StorageScript<T>): StorageScript<T> {
    const done = yield* script();
    const { label = "" } = options;
    judgeLabels(machine, done.writes);
    const [stored] = yield* get<SyncPoint>(META, [SYNC]);
    if (label === "register") world.model.registers(machine);
    if (label === "fence") {
      machine.holder = tab;
      tab.fence = (done.writes.find(isPoint)?.value as SyncPoint | undefined)?.fence ?? tab.fence;
    } else if (FENCED.has(label) && done.writes.length > 0) {
      if (stored !== undefined && stored.fence !== tab.fence)
        world.violation("S8", `${tab.name} wrote "${label}" under fence ${tab.fence}, the fence is ${stored.fence}`);
      if (machine.holder !== tab)
        world.violation("S8", `${tab.name} wrote "${label}", and ${machine.holder?.name} has the turn`);
    }
    if (label === "answer" && done.writes.length > 0) yield* judgeAnswer(tab, done.writes, stored);
    for (const write of done.writes)
      if (write.kind === "delete" && write.table === OPERATIONS) world.model.pruned(machine, String(write.key));
    const authors = yield* seenBy(machine, done.writes);
    for (const write of done.writes) {
      if (write.kind !== "put" || write.table !== OPERATIONS) continue;
      const operation = write.value as StoredOperation;
      machine.minted(operation, authors.get(operation.id));
    }
    return done;
  }

  return {
    kind: "memory",
    "~port": "storage",
    scope: (name) => `${machine.name}:${name}`,
    marker: {
      read: (name) => marker.read(name),
      write: (name, text) => {
        if (tab.isAlive) marker.write(name, text);
      },
    },
    open: (name, layout, hooks) => step("open", async () => wrapped(await disk.open(name, layout, gated(hooks)))),
  };

  function gated(hooks: StorageHooks): StorageHooks {
    return {
      onFailure: (error) => tab.deliver(() => hooks.onFailure(error)),
      onSuperseded: () => tab.deliver(() => hooks.onSuperseded()),
      onDeleted: () => tab.deliver(() => hooks.onDeleted?.()),
    };
  }
}

const isPoint = (write: StorageWrite): write is Extract<StorageWrite, { kind: "put" }> =>
  write.kind === "put" && write.table === META && write.key === SYNC;

function unavailable(message: string): TillSyncError<"storage_unavailable"> {
  return new TillSyncError("storage_unavailable", message, { adapter: "memory" });
}
