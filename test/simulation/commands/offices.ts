/** The office of one branch: it sees what is of its branch or of the whole shop, and settles nothing of another (L9). */
import { isOpenQuarantine } from "../../../src/server/ports/rows.ts";
import type { Server } from "../machines/server.ts";
import { BRANCHES, namedBranch } from "../sim-shop.ts";
import type { Command } from "./command.ts";

export type Desk = "conflicts" | "quarantine";

/** What lies on the desk of the whole shop, with the branch that it is of; "" for none. */
export function onDesk(server: Server, desk: Desk): ReadonlyMap<string, string> {
  const { conflicts = [], operations = [] } = server.rows();
  if (desk === "conflicts") {
    const settled = new Set(operations.filter((row) => row.supersededBy !== undefined).map(({ id }) => id));
    const open = conflicts.filter((row) => row.settled === undefined && !settled.has(row.operationId));
    return new Map(open.map(({ id, scope }) => [id, scope]));
  }
  // One that names no branch is of that of the token that brought it: a till may have moved to another branch since.
  return new Map(
    operations
      .filter(isOpenQuarantine)
      .map(({ id, operation, sentFrom }) => [id, namedBranch(operation) ?? sentFrom ?? ""]),
  );
}

const branchOffice: Command = {
  kind: "branch_office",
  weight: 2,
  async run({ world, draw }) {
    const branch = draw.pick(BRANCHES);
    const desk = draw.pick(["conflicts", "quarantine"] as const);
    const isOwn = (of: string) => of === "" || of === branch;
    const { server } = world;
    try {
      const before = onDesk(server, desk);
      const listed = (await server.list(desk, branch)) ?? [];
      const after = onDesk(server, desk);
      for (const { id } of listed) {
        const of = after.get(id) ?? before.get(id);
        if (of !== undefined && !isOwn(of))
          world.violation("S14", `the ${desk} desk of ${branch} shows ${id} of ${of}`);
      }
      const foreign = [...before].filter(([, of]) => !isOwn(of));
      if (foreign.length === 0) return `${listed.length} at ${branch}`;
      // Somebody has told the office the number of one that is not its own.
      const [id, of] = draw.pick(foreign);
      const done = await server.desk(
        desk === "conflicts" ? `conflicts/${id}/resolve` : `quarantine/${id}/${draw.pick(["release", "discard"])}`,
        desk === "conflicts" ? { choice: draw.pick(["client", "server"]) } : { reason: "a mistake" },
        branch,
      );
      if (done !== undefined) world.violation("S14", `the office of ${branch} settled ${id} of ${of}`);
      return `${listed.length} at ${branch}, and ${id} of ${of}`;
    } catch {
      return "the server is down";
    }
  },
};

export const offices: readonly Command[] = [branchOffice];
