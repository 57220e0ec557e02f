/** S12: what was lost is told to the shop, and nothing is told that was not. */
import type { Invariant } from "./invariant.ts";

export const told: Invariant = {
  name: "S12",
  check(world) {
    const { losses, heard } = world.model;
    for (const { machine, at, unsynced, keptMarker } of losses) {
      // Without its marker a store that never met the server leaves no trace, and nobody can know.
      const isCoveredUp = losses.some((later) => later.machine === machine && later.at > at && !later.keptMarker);
      if (unsynced.size === 0 || !keptMarker || isCoveredUp) continue;
      const said = heard.some((one) => one.machine === machine && one.at >= at && one.event === "storage_lost");
      if (!said)
        world.violation("S12", `${machine.name} lost ${unsynced.size} operations with its disk, and nobody was told`);
    }
    for (const [machine, { at, missing }] of world.model.owed) {
      // One whose disk was exchanged once more, or that was revoked, may not have come to it.
      const isCut = losses.some((loss) => loss.machine === machine && loss.at >= at);
      const loss = losses.findLast((one) => one.machine === machine);
      const said = heard.filter(
        (one) => one.machine === machine && one.at >= (loss?.at ?? 0) && one.event === "storage_lost",
      );
      if (isCut || world.server.revoked.has(machine.deviceId)) continue;
      if (said.length === 0)
        world.violation("S12", `${machine.name} was told by the server that it is behind, and told nobody`);
      else if (missing !== undefined && !said.some((one) => (one.missing ?? 0) === missing))
        world.violation(
          "S12",
          `${machine.name} lacks ${missing} operations, and told of ${said.map((one) => one.missing)}`,
        );
    }
    const clones = world.machines.filter(({ name, deviceId }) => name !== deviceId);
    const shareAName = new Set(clones.map(({ deviceId }) => deviceId));
    for (const { machine, event } of heard) {
      // A clone works under the same name: what it did, its original seems to have lost.
      const isKnown = losses.some((loss) => loss.machine === machine) || shareAName.has(machine.deviceId);
      if (event === "storage_lost" && !isKnown)
        world.violation("S12", `${machine.name} told of a loss that there was not`);
    }
  },
};
