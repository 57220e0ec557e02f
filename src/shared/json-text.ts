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
