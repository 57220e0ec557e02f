/** After the faults: people put right what only people can, and everything must come to rest. */

import { isCommercial, type StoredOperation, subjectOf } from "../../src/client/state/operation.ts";
import { resolveAtTill, reviseAtTill, settleInOffice } from "./commands/desks.ts";
import { Draw } from "./engine/draw.ts";
import { differences } from "./invariants/converged.ts";
import type { SimWorld } from "./world.ts";

/** Everybody looks at his desk. Choices become simpler with time, so that they end. */
export async function tidy(world: SimWorld, isFirst = false): Promise<void> {
  const draw = new Draw(world.timeline.now, "tidy");
  await settleInOffice(world, draw).catch(() => 0);
  for (const machine of world.machines) {
    const [tab] = machine.tabs;
    if (tab === undefined) continue;
    await resolveAtTill(tab, draw).catch(() => 0);
    await reviseAtTill(tab, draw, !isFirst).catch(() => 0);
  }
}

/** Sales and counters that are neither on the server nor set aside, but for what the server can't take now, and what is about it. */
export function waitingMoney(world: SimWorld): readonly string[] {
  return world.machines.flatMap((machine) => {
    const waiting = machine.operations().filter(({ state }) => state === "pending" || state === "blocked");
    const unitOf = ({ group, id }: StoredOperation) => group ?? id;
    const stuck = new Set<string>();
    const isStuck = (o: StoredOperation) =>
      machine.line.poison?.has(o.id) ||
      [unitOf(o), subjectOf(o.collection, o.entityId), ...(o.references ?? [])].some((name) => stuck.has(name));
    for (let before = -1; before !== stuck.size; ) {
      before = stuck.size;
      for (const o of waiting) if (isStuck(o)) stuck.add(unitOf(o)).add(subjectOf(o.collection, o.entityId));
    }
    return waiting
      .filter((o) => isCommercial(o) && !isStuck(o))
      .map((o) => `${machine.name} ${o.state} ${o.action} ${o.collection}/${o.entityId}`);
  });
}

/** @param explains say what is not, in place of `false` */
export async function isSettled(world: SimWorld, explains = false): Promise<unknown> {
  const open: string[] = [];
  for (const machine of world.machines) {
    if (!machine.isOn) open.push(`${machine.name} is off`);
    for (const operation of machine.operations()) {
      if (["pending", "blocked", "conflict"].includes(operation.state))
        open.push(
          `${machine.name} ${operation.state} ${operation.action} ${operation.collection}/${operation.entityId}`,
        );
      if (operation.state === "rejected" && operation.kind === "record")
        open.push(`${machine.name} rejected ${operation.id}`);
      if (
        operation.state === "quarantined" &&
        // A step for which there is no room may wait for good.
        !/^(discarded|counter_out_of_range)$/.test(operation.error?.code ?? "") &&
        !world.server.revoked.has(machine.deviceId)
      )
        open.push(`${machine.name} quarantined ${operation.id} ${operation.error?.code}`);
    }
  }
  if (open.length === 0) open.push(...(await differences(world)));
  return explains ? open.slice(0, 12) : open.length === 0;
}
