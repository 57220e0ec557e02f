import { expect, test } from "vitest";
import { edit, quarrel } from "../../support/world.ts";

test("a commit of the office is nothing that an edit can wait for by itself (L7)", async () => {
  const { world, b, lost } = await quarrel();
  await world.resolve(lost.id, "server");
  const commit = (await world.operation(lost.id))?.supersededBy ?? "";
  const base = await world.version("products", "p-1");
  expect(await b.send(edit("p-1", base, { name: "x" }, { after: [lost.id] }))).toMatchObject({ status: "applied" });
  const outcome = await b.send(edit("p-1", base, { name: "y" }, { after: [commit] }));
  expect(outcome.status).not.toBe("applied");
});

test.each([
  [50, "applied"],
  [51, "blocked"],
])("a chain of replacements is followed over %i links (L12): the edit is %s", async (links, status) => {
  const { b, lost } = await quarrel();
  let last = lost.id;
  for (let link = 1; link < links; link++) {
    const next = await b.send(edit("p-1", 0, { priceCents: link }, { supersedes: [last] }));
    expect(next.status).toBe("conflict");
    last = next.id;
  }
  const end = await b.send({ action: "void", collection: "products", entityId: "p-1", supersedes: [last] });
  expect(end.status).toBe("applied");
  expect(await b.send(edit("p-1", 2 ** 52, { name: "x" }, { after: [lost.id] }))).toMatchObject({ status });
});
