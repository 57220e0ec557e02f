/** Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line ends within quotes. Pure. */

export interface CsvRow {
  /** The line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** @throws Error that names the line of a quote that never ends */
export function* parseCsv(text: string): Generator<CsvRow> {
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (;;) {
      let field = "";
      if (text[at] === '"') {
        at += 1;
        for (;;) {
          const quote = text.indexOf('"', at);
          if (quote === -1) throw new Error(`line ${start}: a quoted field does not end`);
          field += text.slice(at, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          field += '"';
          at += 1;
        }
        line += field.split("\n").length - 1;
      }
      // Text after a closing quote becomes part of the field, rather than being lost.
      const rest = at;
      while (at < text.length && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at += 1;
      fields.push(field + text.slice(rest, at));
      if (text[at] !== ",") break;
      at += 1;
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    line += 1;
    if (fields.length > 1 || fields[0] !== "") yield { line: start, fields };
  }
}
