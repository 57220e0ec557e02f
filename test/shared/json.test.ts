import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalJson,
  deepEqual,
  deepFreeze,
  type Json,
  jsonBytes,
  jsonFault,
  scanJsonText,
  toJson,
} from "../../src/shared/json.ts";

/** JSON of the protocol: safe integers, finite fractions, well-formed strings, no key that reaches a prototype. */
const text = fc.string({ unit: "binary" }).map((any) => any.replaceAll("\0", "").replace(/[\ud800-\udfff]/gu, ""));
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    text,
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => !["__proto__", "constructor", "prototype"].includes(key)),
      tie("json"),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
}));
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
const shuffled = (value: Json): Json => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(shuffled);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
};

describe("jsonFault", () => {
  it("finds none in JSON", () => {
    fc.assert(fc.property(json, (value) => void expect(jsonFault(value)).toBeUndefined()));
  });

  it.each([
    ["undefined", { a: undefined }, "a", "undefined"],
    ["a bigint", { a: 1n }, "a", "a bigint"],
    ["a symbol", { a: Symbol("s") }, "a", "a symbol"],
    ["a function", { a: () => 1 }, "a", "a function"],
    ["a Date", { items: [{ at: new Date(0) }] }, "items[0].at", "an instance of Date"],
    ["a Map", { a: new Map() }, "a", "an instance of Map"],
    ["an object of a class", { a: new (class Money {})() }, "a", "an instance of Money"],
    ["NaN", [1, Number.NaN], "[1]", "the number NaN"],
    ["an infinity", { a: Number.NEGATIVE_INFINITY }, "a", "the number -Infinity"],
    ["an unsafe integer", { a: 2 ** 53 }, "a", "an integer beyond 2^53 - 1"],
    ["an integer that only a float can hold", { a: 1e300 }, "a", "an integer beyond 2^53 - 1"],
    ["an own __proto__", JSON.parse('{"a":{"__proto__":{}}}'), "a.__proto__", "a forbidden name"],
    ["constructor as a name", { constructor: 1 }, "constructor", "a forbidden name"],
    ["prototype as a name", { prototype: 1 }, "prototype", "a forbidden name"],
    ["U+0000", { a: "b\0" }, "a", "a string with U+0000 or a lone surrogate"],
    ["a lone surrogate", { a: "\ud83d" }, "a", "a string with U+0000 or a lone surrogate"],
    ["a pair the wrong way round", { a: "\ude00\ud83d" }, "a", "a string with U+0000 or a lone surrogate"],
    ["U+0000 in a name", { "x\0": 1 }, '["x\\u0000"]', "a name with U+0000 or a lone surrogate"],
    ["a lone surrogate in a name", { "\udc00": 1 }, '["\\udc00"]', "a name with U+0000 or a lone surrogate"],
    ["a hole in an array", [new Array(1)], "[0][0]", "undefined"],
    ["a name that is no identifier", { "unit-price": { b: 1n } }, '["unit-price"].b', "a bigint"],
  ])("refuses %s, and says where", (_name, value, path, reason) => {
    expect(jsonFault(value)).toMatchObject({ path, reason });
  });

  it("tells the place also part by part", () => {
    expect(jsonFault({ items: [{ at: 1n }] })?.segments).toEqual(["items", 0, "at"]);
  });

  it("takes what lies at the edge: safe integers, fractions, -0, whole surrogate pairs, plain objects of another realm", () => {
    const foreign: unknown = runInNewContext("({ a: [1, { b: 2 }] })");
    for (const value of [2 ** 53 - 1, -(2 ** 53 - 1), 0.1, 5e-324, -0, "\u{1f600}", Object.create(null), foreign]) {
      expect(jsonFault(value)).toBeUndefined();
    }
  });

  it("takes 32 levels and refuses the 33rd", () => {
    expect(jsonFault(nested(32))).toBeUndefined();
    expect(jsonFault(nested(33))).toMatchObject({ reason: "a value nested deeper than 32" });
    expect(jsonFault(nested(3), { maxDepth: 2 })).toMatchObject({ path: "[0][0]" });
  });

  it("ends on a cycle and on a hundred thousand levels", () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = { cyclic };
    expect(jsonFault(cyclic)).toMatchObject({ path: "self.cyclic", reason: "a cycle" });
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(jsonFault(deep)).toBeDefined();
  });

  it("takes the same object twice, which is no cycle", () => {
    const shared = { a: 1 };
    expect(jsonFault([shared, shared, { shared }])).toBeUndefined();
  });

  it("lets members be undefined where that is asked for, but never elements", () => {
    expect(jsonFault({ a: undefined, b: [{ c: undefined }] }, { allowUndefined: true })).toBeUndefined();
    expect(jsonFault([undefined], { allowUndefined: true })).toMatchObject({ path: "[0]" });
  });
});

describe("toJson", () => {
  it("gives what a round trip through text would give", () => {
    fc.assert(fc.property(json, (value) => void expect(toJson(value)).toEqual(JSON.parse(JSON.stringify(value)))));
  });

  it("leaves undefined members out, and makes -0 a 0", () => {
    const copy = toJson({ a: undefined, b: [{ c: undefined, d: -0 }] });
    expect(copy).toStrictEqual({ b: [{ d: 0 }] });
    expect(Object.is((copy as { b: { d: number }[] }).b[0]?.d, 0)).toBe(true);
  });

  it("shares nothing with the original", () => {
    const original = { items: [{ quantity: 1 }] };
    const copy = toJson(original);
    copy.items[0]!.quantity = 2;
    expect(original.items[0]?.quantity).toBe(1);
  });
});

describe("canonicalJson", () => {
  it("sorts names by UTF-16 code units, as in the example of RFC 8785", () => {
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  });

  it("writes numbers and strings as in the example of RFC 8785", () => {
    const value = {
      numbers: [333333333.3333333, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(canonicalJson(-0)).toBe("0");
  });

  it("is read back as the same value", () => {
    fc.assert(fc.property(json, (value) => void expect(deepEqual(JSON.parse(canonicalJson(value)), value)).toBe(true)));
  });

  it("does not depend on the order of members", () => {
    fc.assert(fc.property(json, (value) => void expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))));
  });

  it("is the same for two values exactly if they are equal", () => {
    fc.assert(
      fc.property(json, json, (a, b) => void expect(canonicalJson(a) === canonicalJson(b)).toBe(deepEqual(a, b))),
    );
  });

  it("counts an undefined member as absent", () => {
    expect(canonicalJson({ b: 1, a: undefined } as never)).toBe('{"b":1}');
  });

  it("never hashes what is not JSON as something else", () => {
    expect(() => canonicalJson(Number.NaN)).toThrow("defect");
    expect(() => canonicalJson([undefined] as never)).toThrow("defect");
  });
});

describe("deepEqual", () => {
  it("looks at values, not at identity or order of members", () => {
    fc.assert(fc.property(json, (value) => void expect(deepEqual(value, shuffled(value))).toBe(true)));
  });

  it.each([
    [[1], [1, 2]],
    [[], {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [null, {}],
    ["1", 1],
    [{ toString: 1 }, { valueOf: 1 }],
  ])("tells %j from %j", (a, b) => {
    expect(deepEqual(a as unknown as Json, b as unknown as Json)).toBe(false);
  });

  it("takes an undefined member for an absent one", () => {
    expect(deepEqual({ a: 1, b: undefined } as never, { a: 1 })).toBe(true);
    expect(deepEqual({ b: undefined, a: 1 } as never, { a: 1, c: undefined } as never)).toBe(true);
  });
});

describe("deepFreeze", () => {
  it("freezes all the way down", () => {
    const value = deepFreeze({ items: [{ quantity: 1 }] });
    expect(() => {
      value.items[0]!.quantity = 2;
    }).toThrow(TypeError);
  });
});

describe("jsonBytes", () => {
  it("counts as an encoder does, lone surrogates included", () => {
    const encoder = new TextEncoder();
    const unit = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\ud83d", "\ude00", "é", "€", "a", "\u{1f600}"),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const whole = parts.join("");
        expect(jsonBytes(whole)).toBe(encoder.encode(whole).length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("scanJsonText", () => {
  const limits = { maxDepth: 3, maxKeys: 4 };
  const countKeys = (value: Json): number =>
    typeof value !== "object" || value === null
      ? 0
      : Array.isArray(value)
        ? value.reduce((sum: number, element: Json) => sum + countKeys(element), 0)
        : Object.values(value).reduce((sum: number, member) => sum + 1 + countKeys(member), 0);
  const depthOf = (value: Json): number =>
    typeof value !== "object" || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));

  it("allows exactly the depth and the number of members it was given", () => {
    expect(scanJsonText('[[{"a":1}]]', limits)).toBeUndefined();
    expect(scanJsonText("[[[[]]]]", limits)).toEqual({ reason: "too_deep", offset: 3 });
    expect(scanJsonText('{"a":1,"b":1,"c":1,"d":1}', limits)).toBeUndefined();
    expect(scanJsonText('{"a":1,"b":1,"c":1,"d":1,"e":1}', limits)).toEqual({ reason: "too_many_keys", offset: 28 });
  });

  it("allows exactly as many values as it was given, in whatever they are", () => {
    const few = { ...limits, maxDepth: 9, maxValues: 4 };
    for (const text of ["[0,0,0,0]", "[{},{}]", "[[[[]]]]", '{"a":0,"b":0,"c":0,"d":0}', '["[,[,[,"]'])
      expect(scanJsonText(text, few), text).toBeUndefined();
    for (const text of ["[0,0,0,0,0]", "[{},{},0]", "[[[[[]]]]]", '[{"a":0,"b":0},[]]'])
      expect(scanJsonText(text, few), text).toMatchObject({ reason: "too_many_values" });
    expect(scanJsonText("[0,0,0,0,0]", limits)).toBeUndefined();
  });

  it("counts siblings once", () => {
    expect(scanJsonText("[[],[],[[]],{}]", limits)).toBeUndefined();
  });

  it("reads no structure in strings, whatever is escaped in them", () => {
    expect(scanJsonText(JSON.stringify('[[[[{{":"\\'), limits)).toBeUndefined();
    expect(scanJsonText(JSON.stringify({ '"\\': '\\"[[[[[', b: "\\\\" }), limits)).toBeUndefined();
    expect(scanJsonText('["\\\\",[[[', limits)).toEqual({ reason: "too_deep", offset: 8 });
  });

  it("agrees with the parsed value", () => {
    fc.assert(
      fc.property(json, (value) => {
        const written = JSON.stringify(value);
        const exact = { maxDepth: depthOf(value), maxKeys: countKeys(value) };
        expect(scanJsonText(written, exact)).toBeUndefined();
        if (exact.maxDepth > 0) expect(scanJsonText(written, { ...exact, maxDepth: exact.maxDepth - 1 })).toBeDefined();
        if (exact.maxKeys > 0) expect(scanJsonText(written, { ...exact, maxKeys: exact.maxKeys - 1 })).toBeDefined();
      }),
    );
  });

  it("ends on a bomb of a million levels, and on text that is cut short", () => {
    expect(scanJsonText("[".repeat(1_000_000), { maxDepth: 32, maxKeys: 10 })).toEqual({
      reason: "too_deep",
      offset: 32,
    });
    for (const cut of ['{"a', '"\\', '["', "]]]", ""]) expect(scanJsonText(cut, limits)).toBeUndefined();
  });
});
