/** Apps and servers are updated and rolled back, in any order, while work of all versions is on its way. */
import type { Version } from "../versions.ts";
import type { Fault } from "./fault.ts";

/** Forward more often than back. */
const VERSIONS: readonly Version[] = [1, 2, 2, 3, 3];
const needs: Fault["needs"] = ({ versions = false }) => versions;

export const versions: readonly Fault[] = [
  {
    kind: "app_version",
    weight: 6,
    needs,
    strike({ machine, draw, hit }) {
      const version = draw.pick(VERSIONS);
      if (version === machine.app || !machine.isOn) return;
      hit();
      machine.install(version);
    },
  },
  {
    kind: "server_version",
    weight: 4,
    needs,
    strike({ world, draw, hit }) {
      hit();
      world.server.deploy(draw.pick(VERSIONS), [0, draw.int(0, 8_000)]);
    },
  },
];
