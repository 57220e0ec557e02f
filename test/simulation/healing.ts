/** After the faults: people put right what only people can, and everything must come to rest. (simulation) */
import { resolveAtTill, reviseAtTill, settleInOffice } from "./commands/desks.ts";
import { Draw } from "./engine/draw.ts";
import { differences } from "./invariants/converged.ts";
import type { World } from "./world.ts";

/** Everybody looks at his desk. Choices become simpler with time, so that they end. */
export async function tidy(world: World): Promise<void> {
  const draw = new Draw(world.timeline.now, "tidy");
  await settleInOffice(world, draw).catch(() => 0);
  for (const machine of world.machines) {
    const [tab] = machine.tabs;
    if (tab === undefined) continue;
    await resolveAtTill(tab, draw).catch(() => 0);
    await reviseAtTill(tab, draw, true).catch(() => 0);
  }
}

/** @param explains say what is not, in place of `false` */
export async function isSettled(world: World, explains = false): Promise<unknown> {
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
        operation.error?.code !== "discarded" &&
        !world.server.revoked.has(machine.deviceId)
      )
        open.push(`${machine.name} quarantined ${operation.id} ${operation.error?.code}`);
    }
  }
  if (open.length === 0) open.push(...(await differences(world)));
  return explains ? open.slice(0, 12) : open.length === 0;
}
