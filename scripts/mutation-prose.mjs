/**
 * A plugin of Stryker for `npm run mutation`: sentences are not mutated, in strings and in templates. No test should
 * depend on the wording of a message, and SQL that becomes empty fails in every test that runs it.
 */

/** Two words with a space between them. Codes, names and separators have none. */
const SENTENCE = /\w\W* \W*\w/;

/** @typedef {{ type: string, value?: unknown, quasis?: readonly { value: { raw: string } }[] }} Node of Babel's tree */

/** @param {Node} node */
function isSentence({ type, value, quasis = [] }) {
  if (type === "StringLiteral") return SENTENCE.test(String(value));
  return type === "TemplateLiteral" && SENTENCE.test(quasis.map((quasi) => quasi.value.raw).join("x"));
}

/** The shape is Stryker's: it is what `declareValuePlugin` of its API returns. */
export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "prose",
    value: { shouldIgnore: (/** @type {{ node: Node }} */ { node }) => (isSentence(node) ? "a sentence" : undefined) },
  },
];
