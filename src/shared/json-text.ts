/** JSON as text: its size on the wire, and limits that must hold before `JSON.parse` sees it. (shared: imports nothing) */

/** Length in UTF-8 bytes, without encoding it. A lone surrogate counts as the U+FFFD that it would become. */
export function jsonBytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is two units and four bytes: the second unit has been counted, and must not be looked at again.
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next < 0xe000) index++;
    }
  }
  return bytes;
}

export interface JsonTextLimits {
  /** Nested arrays and objects, the outermost included. */
  readonly maxDepth: number;
  /** Object members in the whole text. */
  readonly maxKeys: number;
}

export interface JsonTextFault {
  readonly reason: "too_deep" | "too_many_keys";
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
export function scanJsonText(text: string, limits: JsonTextLimits): JsonTextFault | undefined {
  let depth = 0;
  let keys = 0;
  for (let offset = 0; offset < text.length; offset++) {
    switch (text.charCodeAt(offset)) {
      case 0x22: // "
        offset = endOfString(text, offset);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > limits.maxDepth) return { reason: "too_deep", offset };
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x3a: // a colon: one member
        if (++keys > limits.maxKeys) return { reason: "too_many_keys", offset };
        break;
    }
  }
  return undefined;
}

/** The offset of the closing quote, or of the end where there is none. */
function endOfString(text: string, start: number): number {
  for (let offset = start + 1; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === 0x22) return offset;
    if (unit === 0x5c) offset++; // a backslash: whatever comes next is not the closing quote
  }
  return text.length;
}
