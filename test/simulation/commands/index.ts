/** Everything that somebody may do. */
import { branches } from "./branches.ts";
import { bulk } from "./bulk.ts";
import { catalogue } from "./catalogue.ts";
import type { Command } from "./command.ts";
import { desks } from "./desks.ts";
import { editing } from "./editing.ts";
import { notes } from "./notes.ts";
import { offices } from "./offices.ts";
import { selling } from "./selling.ts";

export const commands: readonly Command[] = [
  ...selling,
  ...bulk,
  ...editing,
  ...branches,
  ...desks,
  ...offices,
  ...catalogue,
  ...notes,
];

const byKind = new Map(commands.map((command) => [command.kind, command]));

export function commandOf(kind: string): Command {
  const command = byKind.get(kind);
  if (command === undefined) throw new Error(`There is no command "${kind}".`);
  return command;
}
