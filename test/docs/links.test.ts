/** Links that stay inside the project lead somewhere. Others are not looked up: a test must not need the internet. */
import { existsSync, statSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { anchorsOf, linksOf, pages, readPage } from "./markdown.ts";

const isOutside = (target: string) => /^[a-z][a-z0-9+.-]*:/i.test(target);

function fault(page: string, target: string): string | undefined {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : posix.normalize(posix.join(posix.dirname(page), decodeURIComponent(path)));
  if (target.startsWith("/") || file.startsWith("..")) return "leaves the project";
  if (!existsSync(root + file)) return "there is no such file";
  if (anchor === undefined) return undefined;
  if (!file.endsWith(".md") || statSync(root + file).isDirectory()) return "only a page has anchors";
  return anchorsOf(readPage(file)).has(anchor) ? undefined : "there is no such heading";
}

test.each(pages())("the links of %s lead somewhere", (page) => {
  const dead = linksOf(readPage(page))
    .filter(({ target }) => !isOutside(target))
    .flatMap(({ line, target }) => {
      const reason = fault(page, target);
      return reason === undefined ? [] : [`${page}:${line}: ${target}: ${reason}`];
    });
  expect(dead).toEqual([]);
});

test("every page of docs is linked from another page", () => {
  const linked = new Set(
    pages().flatMap((page) =>
      linksOf(readPage(page))
        .filter(({ target }) => !isOutside(target))
        .map(({ target }) => posix.normalize(posix.join(posix.dirname(page), target.split("#")[0] ?? ""))),
    ),
  );
  const alone = pages().filter((page) => page.startsWith("docs/") && page !== "docs/README.md" && !linked.has(page));
  expect(alone).toEqual([]);
});

describe("the reader", () => {
  test("makes the anchors that GitHub makes", () => {
    const text = "# Order: `after`\n\n## C [x](y.md) & more\n\n## Same\n\n## Same\n\n```md\n# Not one\n```\n";
    expect([...anchorsOf(text)]).toEqual(["order-after", "c-x--more", "same", "same-1"]);
  });

  test("finds links, and none in code", () => {
    const text = '[a](b.md#c) ![d](e.png "f")\n`[g](h)`\n\n```md\n[i](j)\n```\n[k]: l.md\n';
    expect(linksOf(text).map(({ target }) => target)).toEqual(["b.md#c", "e.png", "l.md"]);
  });

  test("sees a link that leads nowhere", () => {
    expect(fault("README.md", "docs/nothing.md")).toBe("there is no such file");
    expect(fault("README.md", "README.md#no-such-heading")).toBe("there is no such heading");
    expect(fault("README.md", "../elsewhere.md")).toBe("leaves the project");
  });
});
