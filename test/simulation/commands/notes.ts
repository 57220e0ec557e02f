/** A collection that only some versions of the shop have: what is on its way in it must end somewhere all the same. */
import type { Command } from "./command.ts";

const NOTES = ["n-1", "n-2", "n-3"] as const;

interface Notes {
  get(id: string): Promise<unknown>;
  create(data: object): Promise<unknown>;
  update(id: string, patch: object): Promise<unknown>;
  delete(id: string): Promise<void>;
}

const pinned: Command = {
  kind: "pin_note",
  weight: 6,
  needs: ({ versions = false }) => versions,
  async run({ tab, draw }) {
    const { notes } = tab.client.collections as unknown as { readonly notes?: Notes };
    if (notes === undefined) return "no notes in this version";
    const id = draw.pick(NOTES);
    const text = `Text ${draw.int(0, 99)}`;
    if ((await notes.get(id)) === undefined) await notes.create({ id, text });
    else if (draw.chance(0.2)) await notes.delete(id);
    else await notes.update(id, { text });
    return `${id} ${text}`;
  },
};

export const notes: readonly Command[] = [pinned];
