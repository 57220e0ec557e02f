/** The laws of JSON as text: its parts stand where they stood, and what is cut off changes nothing above it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { elementTexts, scanJsonText, withoutDepth } from "../../src/shared/json.ts";
import { json } from "../support/json-values.ts";
import { times } from "../support/property.ts";

const space = fc.constantFrom("", " ", "\n\t");
/** JSON text with whitespace between the tokens of its outermost two levels. */
const spaced = fc.tuple(fc.dictionary(fc.string(), json), fc.array(json), space, fc.boolean());

test("the texts of an array's elements are those that stand in the text, in their order", () => {
  fc.assert(
    fc.property(spaced, ([others, elements, gap, isFirst]) => {
      const texts = elements.map((element) => JSON.stringify(element));
      const array = `"operations"${gap}:${gap}[${texts.map((text) => gap + text + gap).join(",")}]`;
      const members = Object.entries(others)
        .filter(([name]) => name !== "operations")
        .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
      const text = `{${gap}${(isFirst ? [array, ...members] : [...members, array]).join(`${gap},`)}}`;
      expect(elementTexts(text, "operations")).toEqual(texts);
    }),
    times(300),
  );
});

test.each([
  ["a name with an escape", String.raw`{"oper\u0061tions":[1,{"a":[2,3]}]}`, ["1", '{"a":[2,3]}']],
  ["two members of one name", '{"operations":[1],"operations":[2]}', ["2"]],
  ["the name on another level", '{"x":{"operations":[1]},"operations":[2]}', ["2"]],
  ["the name as a value", '{"x":"operations","y":[1]}', []],
  [
    "quotes and brackets in strings",
    String.raw`{"operations":["],\"",{"a":"[{"}]}`,
    [String.raw`"],\""`, '{"a":"[{"}'],
  ],
  ["an empty array", '{"operations":[ ]}', []],
])("elements: %s", (_, text, elements) => {
  JSON.parse(text);
  expect(elementTexts(text, "operations")).toEqual(elements);
});

/** The value without what lies deeper: what the text must say after it was cut. */
function cut(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((each) => cut(each, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cut(each, depth - 1)]));
}

test("text is cut at a depth exactly as its value would be", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 6 }), (value, depth) => {
      const text = withoutDepth(JSON.stringify(value), depth);
      expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(cut(value, depth)));
      expect(scanJsonText(text, { maxDepth: depth, maxKeys: 1e6 })).toBeUndefined();
    }),
    times(300),
  );
});
