/** JSON as text: its size on the wire, and limits that must hold before `JSON.parse` sees it. */

/** Length in UTF-8 bytes. A lone surrogate counts as the U+FFFD that it would become. */
export function jsonBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

export interface JsonTextLimits {
  /** Nested arrays and objects, the outermost included. */
  readonly maxDepth: number;
  /** Object members in the whole text. */
  readonly maxKeys: number;
  /** Brackets that open, and commas: about as many as there are values. `[{},{},…]` has no member, and costs thirty times its text. */
  readonly maxValues?: number | undefined;
}

export interface JsonTextFault {
  readonly reason: "too_deep" | "too_many_keys" | "too_many_values";
  /** Where in the text the limit was passed, in UTF-16 code units. */
  readonly offset: number;
}

/**
 * Whether text that came from outside keeps the limits. `JSON.parse` takes half a million levels, and what walks the
 * result afterwards (`JSON.stringify`, a recursive schema) then dies of the stack; a million members cost far more
 * memory than their text. One linear pass, no allocation.
 *
 * Not a parser: what is not JSON may pass, and `JSON.parse` refuses it before it has nested any deeper than was seen here.
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
      if (character === "\\") offset++; // whatever comes next is not the closing quote
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
