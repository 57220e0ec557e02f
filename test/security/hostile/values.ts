/** What may stand in the place of a member: nothing, another type, a border, something huge, deep, or written strangely. */
import type { Dice } from "./dice.ts";

/** JSON text that stands for itself: what no value can say, such as a number of a thousand digits. */
export interface Raw {
  readonly raw: string;
}

export const raw = (text: string): Raw => ({ raw: text });
const isRaw = (value: object): value is Raw => Object.keys(value).join() === "raw";

/** An object as the list of its members, because a name may come twice. */
export type Members = readonly (readonly [name: string, value: Hostile])[];
export type Hostile = null | boolean | number | string | Raw | readonly Hostile[] | { readonly members: Members };

export const object = (value: Readonly<Record<string, unknown>>): { readonly members: Members } => ({
  members: Object.entries(value).map(([name, member]) => [name, member as Hostile] as const),
});

/** The JSON, whatever is in it. Plain objects are written too. */
export function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (isRaw(value)) return value.raw;
  const members = "members" in value ? (value.members as Members) : Object.entries(value);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`).join()}}`;
}

const nested = (depth: number) => raw("[".repeat(depth) + "]".repeat(depth));
const chain = (depth: number) => raw(`${'{"a":'.repeat(depth)}0${"}".repeat(depth)}`);
const long = (dice: Dice) => dice.of([1, 64, 65, 128, 129, 2_048, 2_049, 20_000]);

const NUMBERS = [0, -0, -1, 1, 0.5, 1e21, -1e-7, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 8.64e15, 8.64e15 + 1];
const RAW_NUMBERS = [
  "1e999",
  "-1e999",
  "9007199254740993",
  "1E+2",
  `0.${"1".repeat(400)}`,
  "9".repeat(400),
  "-0.0",
  "NaN",
  "01",
];
const TEXTS = [
  ...["", " ", "\t", "a", "__proto__", "constructor", "prototype", "toString", "null", "true", "0", "-1", "1e3"],
  ...[
    "../../etc/passwd",
    "'; drop table operations; --",
    '" or 1=1',
    "%00",
    "{{7*7}}",
    "<script>",
    "\u202e\u2066",
    "\ufeff",
  ],
  ...[
    "é",
    "e\u0301",
    "😀",
    "\ufffe",
    "\uffff",
    "\u0000",
    "\ud800",
    "\udfff\ud800",
    "İ",
    "ß".repeat(64),
    "a".repeat(64),
  ],
  ...["2026-11-20T08:00:00.000Z", "2026-02-30T00:00:00Z", "+275760-09-13T00:00:00.001Z", "0000-01-01T00:00:00Z"],
  ...[
    "00000000-0000-7000-8000-000000000000",
    "00000000-0000-7000-8000-00000000000A",
    "00000000-0000-0000-0000-000000000000",
  ],
];

export function hostileValue(dice: Dice): Hostile {
  switch (dice.below(14)) {
    case 0:
      return null;
    case 1:
      return dice.happens(0.5);
    case 2:
    case 3:
      return dice.of(NUMBERS);
    case 4:
      return raw(dice.of(RAW_NUMBERS));
    case 5:
    case 6:
    case 7:
      return dice.of(TEXTS);
    case 8:
      return dice.of(["x", "é", "😀", "\\", '"', "\u0001"]).repeat(long(dice));
    case 9:
      return dice.happens(0.5)
        ? nested(dice.of([1, 31, 32, 33, 40, 41, 200, 3_000]))
        : chain(dice.of([1, 31, 32, 33, 41, 500]));
    case 10:
      return Array.from({ length: dice.of([0, 1, 2, 250, 251, 1_001]) }, () => dice.of([0, "x", null, dice.uuid()]));
    case 11:
      return {
        members: [
          [
            dice.of(["__proto__", "constructor", "prototype", "toString", "", "\u0000"]),
            { members: [["polluted", 1]] },
          ],
        ],
      };
    case 12:
      return { members: Array.from({ length: dice.of([0, 1, 65, 300]) }, (_, n) => [`m${n}`, n] as const) };
    default:
      return dice.uuid();
  }
}

const STRANGE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "strange",
  "",
  "\ud800",
  "\u0000",
  "a".repeat(129),
];

/** One change somewhere in the object: a member is missing, another one, there twice, or one too many. */
export function changed(dice: Dice, value: Hostile): Hostile {
  if (typeof value !== "object" || value === null || isRaw(value)) return hostileValue(dice);
  if (Array.isArray(value)) {
    if (value.length === 0 || dice.happens(0.3)) return hostileValue(dice);
    const at = dice.below(value.length);
    return value.map((each: Hostile, index) => (index === at ? changed(dice, each) : each));
  }
  const { members } =
    "members" in value
      ? (value as { readonly members: Members })
      : object(value as object as Members & Record<string, unknown>);
  if (members.length === 0 || dice.happens(0.05)) return hostileValue(dice);
  const at = dice.below(members.length);
  const [name, old] = members[at] as Members[number];
  const replaced = (by: Members) => ({ members: [...members.slice(0, at), ...by, ...members.slice(at + 1)] });
  switch (dice.below(7)) {
    case 0:
      return replaced([]);
    case 1:
      return replaced([
        [name, old],
        [name, hostileValue(dice)],
      ]);
    case 2:
      return { members: [...members, [dice.of(STRANGE_NAMES), hostileValue(dice)]] };
    case 3:
    case 4:
      return replaced([[name, changed(dice, old)]]);
    default:
      return replaced([[name, hostileValue(dice)]]);
  }
}
