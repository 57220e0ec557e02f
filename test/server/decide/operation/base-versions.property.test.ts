/** [C5] No edit overwrites what its author has not seen, unless it says `force`: a base is one that a server has given out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { times } from "../../../support/property.ts";
import { count, edit, product, ServerWorld, type Sketch } from "../../support/world.ts";

const remove = (baseVersion: number, more: object = {}): Sketch => ({
  action: "delete",
  collection: "products",
  entityId: "p-1",
  baseVersion,
  ...more,
});
const MALFORMED = { status: "rejected", error: { code: "malformed", issues: [{ path: "baseVersion" }] } };
const editors = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
const forcing = { products: { scope: "tenant", allow: { ...editors, force: "everyone" } } } as const;

describe("a base that was never given out", () => {
  async function shop() {
    const world = await ServerWorld.open(forcing);
    const [a, b] = [world.till("a"), world.till("b")];
    await a.send(product("p-1"));
    return { world, a, b, version: await world.version("products", "p-1") };
  }

  test.each<[string, (base: number) => Sketch]>([
    ["an update", (base) => edit("p-1", base, { priceCents: 1 })],
    ["an update with force", (base) => edit("p-1", base, { priceCents: 1 }, { force: true })],
    ["a delete", (base) => remove(base)],
    ["a delete with force", (base) => remove(base, { force: true })],
  ])("%s is malformed, and nothing is written", async (_what, made) => {
    const { world, b, version } = await shop();
    const before = await world.row("products", "p-1");
    for (const base of [version + 1, Number.MAX_SAFE_INTEGER]) {
      expect(await b.send(made(base))).toMatchObject({ ...MALFORMED, server: { version } });
      expect(await world.row("products", "p-1")).toEqual(before);
    }
    // The row as it is, the row as it was before another's step, and the very first one have all been given out.
    await world.till("a").send(count("p-1", 1));
    expect(await b.send(edit("p-1", version, { name: "Tea" }))).toMatchObject({ status: "applied" });
  });

  test("on a deleted row, too", async () => {
    const { world, a, b, version } = await shop();
    await a.send(remove(version));
    const gone = await world.version("products", "p-1");
    expect(await b.send(remove(gone + 1))).toMatchObject(MALFORMED);
    expect(await b.send(edit("p-1", gone + 1, { name: "Tea" }))).toMatchObject(MALFORMED);
    expect(await b.send(remove(gone))).toMatchObject({ status: "applied", deleted: true });
    expect(await b.send(edit("p-1", gone, { name: "Tea" }))).toMatchObject({ status: "conflict" });
  });

  test("of a row that is not there, or of another branch: answered as before, so that it tells nothing", async () => {
    const world = await ServerWorld.open();
    const [north, south] = [world.till("a", { branch: "north" }), world.till("b", { branch: "south" })];
    const at = { collection: "shifts", entityId: "f-1" };
    await north.send({ action: "create", ...at, data: { branch: "north", cashier: "Ann" } });
    const far = { baseVersion: Number.MAX_SAFE_INTEGER };
    const refused = [
      await south.send({ action: "update", ...at, ...far, patch: { cashier: "Ben" } }),
      await south.send({ action: "delete", ...at, ...far }),
      await south.send({ action: "update", ...at, entityId: "f-9", ...far, patch: { cashier: "Ben" } }),
      await south.send({ action: "delete", ...at, entityId: "f-9", ...far }),
    ];
    for (const result of refused) expect(result).toMatchObject({ status: "rejected", error: { code: "out_of_scope" } });
    await south.send(count("p-7", 1));
    for (const id of ["p-7", "p-9"]) {
      expect(await south.send(edit(id, Number.MAX_SAFE_INTEGER, { name: "Tea" }))).toMatchObject({
        error: { code: "not_found" },
      });
      expect(await south.send({ ...remove(Number.MAX_SAFE_INTEGER), entityId: id })).toMatchObject({
        status: "applied",
        version: 0,
      });
    }
  });

  test("a version that a result has told is a base, also of what changed nothing", async () => {
    const { a, b } = await shop();
    const met = await b.send(product("p-1"));
    expect(met).toMatchObject({ status: "applied" });
    const base = "version" in met ? met.version : 0;
    expect(await b.send(edit("p-1", base, { name: "Tea" }))).toMatchObject({ status: "applied" });
    const step = await a.send(count("p-1", 1));
    expect(await a.send(edit("p-1", "version" in step ? step.version : 0, { priceCents: 7 }))).toMatchObject({
      status: "applied",
    });
  });

  test("a base of a lost history is one, and is in conflict with what this one has written since", async () => {
    const { world, b, version } = await shop();
    await world.mint("restored", version + 5_000);
    expect(await b.send(edit("p-1", version + 4_000, { note: "seen" }))).toMatchObject({ status: "applied" });
    await world.till("a").send(edit("p-1", version, { priceCents: 9 }));
    expect(await b.send(edit("p-1", version + 4_000, { priceCents: 8 }))).toMatchObject({ status: "conflict" });
    const start = (await world.clock())?.epochStart ?? 0;
    const now = await world.version("products", "p-1");
    expect(now).toBeGreaterThan(start);
    expect(await b.send(edit("p-1", now + 1, { priceCents: 8 }))).toMatchObject(MALFORMED);
  });

  test("an acknowledged edit is let in at its old version, whatever its base says", async () => {
    const { world, a, version } = await shop();
    const lost = world.epoch;
    await world.mint("restored", version + 5_000);
    const acknowledged = { epoch: lost, version: version + 100 };
    expect(await a.send(edit("p-1", version + 50, { name: "Tea" }, { acknowledged }))).toMatchObject({
      status: "applied",
    });
  });
});

const FIELDS = ["name", "note", "priceCents"] as const;
const act = fc.record({
  till: fc.constantFrom("a", "b", "c"),
  kind: fc.constantFrom("pull", "update", "update", "update", "delete", "create", "step"),
  field: fc.constantFrom(...FIELDS),
  /** What the till says about its base, beside what it has seen. */
  claims: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 }) },
    {
      weight: 1,
      arbitrary: fc.constant(Number.MAX_SAFE_INTEGER),
    },
  ),
  force: fc.boolean(),
});

test("whatever bases tills name: an edit that is applied without force has seen the fields that it writes", async () => {
  const holds = fc.asyncProperty(fc.array(act, { maxLength: 20 }), async (acts) => {
    const world = await ServerWorld.open(forcing);
    /** By till: the version of the row that it was given last. */
    const seen = new Map<string, number>();
    /** By field: the version of its last write, and its author. The life of the row counts for each of them. */
    const written = new Map<string, readonly [version: number, by: string]>();
    let made = 0;
    for (const { till: device, kind, field, claims, force } of acts) {
      const till = world.till(device);
      const version = await world.version("products", "p-1");
      if (kind === "pull") {
        seen.set(device, version);
        continue;
      }
      made += 1;
      const base = Math.min(Number.MAX_SAFE_INTEGER, (seen.get(device) ?? 0) + claims);
      const value = field === "priceCents" ? made : `${field} ${made}`;
      const isForced = force && (kind === "update" || kind === "delete");
      const more = isForced ? { force: true } : {};
      const before = await world.row("products", "p-1");
      const result = await till.send(
        kind === "update"
          ? edit("p-1", base, { [field]: value }, more)
          : kind === "delete"
            ? remove(base, more)
            : kind === "step"
              ? count("p-1", 1)
              : product("p-1", { name: `Made ${made}`, priceCents: made }),
      );
      const wasThere = before !== undefined && before.state !== "stub";
      if (kind === "update" || kind === "delete") {
        if (wasThere && base > before.version) expect(result).toMatchObject(MALFORMED);
        const fields = kind === "update" ? [field] : FIELDS;
        const unseen = fields.filter((name) => {
          const [at, by] = written.get(name) ?? [0, device];
          return by !== device && at > Math.max(seen.get(device) ?? 0, Math.min(base, version));
        });
        if (result.status === "applied" && !isForced && before?.state === "live") expect(unseen).toEqual([]);
        // A claim that lies in what was given out to others is still a lie about what this till has seen, and no server
        // can tell; one that lies beyond it never counts.
        if (result.status !== "applied") expect(await world.row("products", "p-1")).toEqual(before);
      }
      if (result.status !== "applied") continue;
      const now = await world.row("products", "p-1");
      if (now === undefined || now.version === version) continue;
      seen.set(device, now.version);
      if (kind === "update") written.set(field, [now.version, device]);
      if (kind === "create" || kind === "delete") for (const name of FIELDS) written.set(name, [now.version, device]);
    }
  });
  await fc.assert(holds, times(200));
});
