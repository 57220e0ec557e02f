/** JSON as text: its size on the wire, and limits that are checked before `JSON.parse` sees it. */

/** The length in UTF-8 bytes. A lone surrogate counts as U+FFFD, which it would become. */
export function jsonBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

export interface JsonTextLimits {
  /** Nested arrays and objects, the outermost one included. */
  readonly maxDepth: number;
  /** Object members in the whole text. */
  readonly maxKeys: number;
  /**
   * Opening brackets and commas: about as many as there are values. `[{},{},…]` has no members, and takes thirty times
   * its text in memory.
   * @default unlimited
   */
  readonly maxValues?: number | undefined;
}

export interface JsonTextFault {
  readonly reason: "too_deep" | "too_many_keys" | "too_many_values";
  /** Where in the text the limit was exceeded, in UTF-16 code units. */
  readonly offset: number;
}

/**
 * Whether text from outside keeps the limits; if not, what it exceeds. `JSON.parse` accepts half a million levels, and
 * what walks the result afterwards (`JSON.stringify`, a recursive schema) then overflows the stack; a million members
 * take far more memory than their text. One linear pass, no allocation.
 *
 * This is not a parser. Text that is not JSON may pass; `JSON.parse` then refuses it, and never nests deeper than was
 * counted here.
 */
export function scanJsonText(
  text: string,
  { maxDepth, maxKeys, maxValues = Number.POSITIVE_INFINITY }: JsonTextLimits,
): JsonTextFault | undefined {
  let depth = 0;
  let keys = 0;
  let values = 0;
  let isQuoted = false;
  for (let offset = 0; offset < text.length; offset++) {
    const character = text[offset];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) {
      if (character === "\\") offset++; // the next character is not the closing quote
    } else if (character === "[" || character === "{") {
      if (++depth > maxDepth) return { reason: "too_deep", offset };
      if (++values > maxValues) return { reason: "too_many_values", offset };
    } else if (character === "]" || character === "}") depth--;
    else if (character === ":") {
      if (++keys > maxKeys) return { reason: "too_many_keys", offset };
    } else if (character === "," && ++values > maxValues) return { reason: "too_many_values", offset };
  }
  return undefined;
}

/** Calls `visit` with every character of JSON text that is not inside a string, and the depth after it. */
function walk(text: string, visit: (character: string, offset: number, depth: number) => void): void {
  let depth = 0;
  let isQuoted = false;
  for (let offset = 0; offset < text.length; offset++) {
    const character = text[offset] ?? "";
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) {
      if (character === "\\") offset++; // the next character is not the closing quote
      continue;
    } else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    visit(character, offset, depth);
  }
}

/** JSON text with `null` in place of every array and object that is nested deeper than `maxDepth`. */
export function withoutDepth(text: string, maxDepth: number): string {
  const kept: string[] = [];
  let from = 0;
  let isPruning = false;
  walk(text, (_character, offset, depth) => {
    if (!isPruning && depth > maxDepth) {
      kept.push(text.slice(from, offset), "null");
      isPruning = true;
    } else if (isPruning && depth <= maxDepth) {
      from = offset + 1;
      isPruning = false;
    }
  });
  return kept.join("") + text.slice(from);
}

/**
 * The texts of the elements of an array that is a member of the outermost object, as they stand there. The text must be
 * valid JSON, and the member an array. If the member is there twice, the last one counts, as it does for `JSON.parse`.
 */
export function elementTexts(text: string, member: string): readonly string[] {
  let elements: string[] = [];
  let key = "";
  let quotedFrom = -1;
  let from = -1;
  walk(text, (character, offset, depth) => {
    if (depth === 1 && character === '"') {
      // The last string before a colon is the name of the member.
      if (quotedFrom < 0) quotedFrom = offset;
      else {
        key = text.slice(quotedFrom, offset + 1);
        quotedFrom = -1;
      }
    } else if (depth === 1 && character === ":") {
      if (JSON.parse(key) === member) {
        elements = [];
        from = offset + 1;
      } else from = -1;
    } else if (from < 0) return;
    else if (depth === 2 && character === "[" && text.slice(from, offset).trim() === "") from = offset + 1;
    else if ((depth === 2 && character === ",") || (depth === 1 && character === "]")) {
      const element = text.slice(from, offset).trim();
      if (element !== "") elements.push(element);
      from = character === "]" ? -1 : offset + 1;
    }
  });
  return elements;
}
