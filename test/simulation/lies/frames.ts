/** What it says around its operations: which store it is, how far it has counted, and what it has seen. */
import type { Draw } from "../engine/draw.ts";
import type { Liar } from "../machines/liar.ts";
import type { Lie } from "./lie.ts";
import { said, saleBy } from "./writing.ts";

const COLLECTIONS = ["products", "customers", "sales", "payments", "refunds", "seats"] as const;
const GARBAGE = ["", "x", "WzEsMSwiYSJd.0", "a.b.c", "1.00000000.x.00000000000000000000000000000000"];

/** The token with another content under its own seal. */
function moved(token: string): string {
  const [body = "", mac] = token.split(".");
  const text = atob(body.replaceAll("-", "+").replaceAll("_", "/")).replace(
    /\d+/g,
    (number) => `${Number(number) + 999}`,
  );
  return `${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.${mac}`;
}

function someMark(liar: Liar, draw: Draw): string | undefined {
  const marks = [...liar.heard.marks, ...liar.own.marks];
  if (marks.length === 0 || draw.chance(0.3)) return draw.pick(GARBAGE);
  const mark = draw.pick(marks);
  return draw.chance(0.4) ? moved(mark) : mark;
}

export const frames: readonly Lie[] = [
  {
    kind: "marks",
    weight: 4,
    async tell(liar, draw) {
      const marks = { push: someMark(liar, draw), pull: someMark(liar, draw) };
      if (draw.chance(0.3)) return said(await liar.pull({ customers: null }, { marks }));
      if (draw.chance(0.2)) return said(await liar.register({ epoch: liar.epoch, marks }));
      return said(await liar.push([saleBy(liar, draw)], { marks }));
    },
  },
  {
    kind: "epoch",
    weight: 2,
    async tell(liar, draw) {
      const epochs = [...liar.heard.epochs, ...GARBAGE, (liar.epoch ?? "1").replace(/^\d+/, "7")];
      const epoch = draw.pick(epochs);
      const marks = { push: someMark(liar, draw), pull: someMark(liar, draw) };
      const isPull = draw.chance(0.5);
      return said(
        isPull
          ? await liar.pull({ sales: null }, { epoch, marks })
          : await liar.push([saleBy(liar, draw)], { epoch, marks }),
      );
    },
  },
  {
    kind: "cursors",
    weight: 3,
    async tell(liar, draw) {
      const known = [...liar.heard.cursors.keys(), ...liar.own.cursors.keys()];
      const cursor = () => {
        if (known.length === 0 || draw.chance(0.2)) return draw.pick([null, ...GARBAGE]);
        const one = draw.pick(known);
        return draw.chance(0.3) ? moved(one) : one;
      };
      const asked = COLLECTIONS.filter(() => draw.chance(0.5)).map((name) => [name, cursor()] as const);
      if (asked.length === 0) return undefined;
      const limit = draw.pick([1, 3, 1_000]);
      return said(await liar.pull(Object.fromEntries(asked), { limit, ...(draw.chance(0.3) && { limitBytes: 1 }) }));
    },
  },
  {
    /** From the start, as a new till does it. */
    kind: "pull",
    weight: 2,
    async tell(liar) {
      const all = Object.fromEntries(COLLECTIONS.map((name) => [name, null]));
      return said(await liar.pull(all));
    },
  },
  {
    kind: "sequences",
    weight: 3,
    async tell(liar, draw) {
      const sequence = draw.pick([1, liar.sequence() + draw.int(1, 1_000_000), Number.MAX_SAFE_INTEGER, 2 ** 53]);
      const sales = [saleBy(liar, draw), saleBy(liar, draw)];
      const answered = await liar.push(
        draw.chance(0.5) ? sales.map((one) => ({ ...one, sequence })) : [{ ...saleBy(liar, draw), sequence }],
      );
      if (answered.code === "identity_fork") liar.anotherIncarnation();
      return said(answered);
    },
  },
  {
    /** It claims to be the store of another till. */
    kind: "incarnation_of_others",
    weight: 2,
    async tell(liar, draw) {
      const known = [...liar.heard.sequences];
      if (known.length === 0) return undefined;
      const [incarnation, highest] = draw.pick(known);
      const device = { id: "liar", incarnation };
      if (draw.chance(0.3)) return said(await liar.register({ device, firstSequence: highest + 1 }));
      const sequence = draw.pick([draw.int(1, highest), highest + 1, highest + 1_000, Number.MAX_SAFE_INTEGER]);
      const own = draw.pick([
        saleBy(liar, draw),
        liar.operation({
          collection: "customers",
          entityId: draw.pick(["c-1", "c-2"]),
          action: "update",
          baseVersion: 0,
          patch: { phone: "66" },
        }),
      ]);
      return said(await liar.push([{ ...own, sequence }], { device }));
    },
  },
  {
    /** Stores without end: each is known from its first call. */
    kind: "incarnations",
    weight: 1,
    async tell(liar, draw) {
      const answers: string[] = [];
      for (let left = draw.pick([2, 5, 60]); left > 0; left--) {
        const isQuiet = draw.chance(0.5);
        liar.anotherIncarnation();
        const answered = isQuiet ? await liar.push([saleBy(liar, draw)]) : await liar.register();
        answers.push(String(answered.status));
        if (answered.status === 429) {
          // It goes on with one that is known.
          liar.incarnations.splice(1);
          break;
        }
      }
      return answers.join(" ");
    },
  },
  {
    /** Another till in the body: nobody believes it. */
    kind: "device_of_others",
    weight: 2,
    async tell(liar, draw) {
      const machine = draw.pick(liar.world.machines);
      const { incarnation } = machine.counted();
      const device = {
        id: machine.deviceId,
        incarnation: draw.chance(0.5) && incarnation ? incarnation : liar.incarnation(),
      };
      const answered = draw.chance(0.5)
        ? await liar.push([saleBy(liar, draw)], { device })
        : await liar.register({ device });
      if (answered.status === 200) liar.world.violation("S18", `liar was let in as ${machine.deviceId}`);
      return said(answered);
    },
  },
];
