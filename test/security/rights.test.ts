/** Every way in which a row, a counter, a verdict or a desk entry can change, with every combination of the rights it takes (L9). */
import { describe, expect, test } from "vitest";
import { clientWins } from "../../src/conflict/index.ts";
import type { Action, WireOperation } from "../../src/protocol/types.ts";
import { endpoints } from "../../src/server/http/endpoints.ts";
import { revokeDevice } from "../../src/server/index.ts";
import { type HttpTill, openTill, operation, type ShopServer, shopServer } from "../server/support/http.ts";
import { count, edit, product, sale } from "../server/support/world.ts";

/** Everything that a policy or an option can ask for. */
const RIGHTS = ["create", "update", "delete", "increment", "force", "sell", "sync:desk"] as const;
type Right = (typeof RIGHTS)[number];

const products = {
  scope: "tenant",
  allow: {
    read: "everyone",
    create: "create",
    update: "update",
    delete: "delete",
    increment: "increment",
    force: "force",
  },
} as const;

interface Scene {
  readonly server: ShopServer;
  /** Holds every right. */
  readonly owner: HttpTill;
  /** A till or an office with the rights that are tried. */
  readonly sender: HttpTill;
  /** What the first part has left, to be acted upon. */
  readonly made: readonly WireOperation[];
}

interface Way {
  /** What is done, of the list that the last test holds to be complete. */
  readonly covers: string;
  /** Each of these sets of rights suffices. */
  readonly takes: readonly (readonly Right[])[];
  readonly conflict?: typeof clientWins;
  /** A sale that nobody may book. */
  readonly nobody?: true;
  /** By the sender's device with every right, or by the owner's. */
  readonly before?: (scene: Omit<Scene, "made">, sameDevice: HttpTill) => Promise<readonly WireOperation[]>;
  readonly act: (scene: Scene) => Promise<unknown>;
  readonly took: (scene: Scene) => boolean;
}

const record = ({ server }: Scene, collection: string, id: string) =>
  server.store.snapshot().tenants.shop?.records?.find((row) => row.collection === collection && row.id === id);
const stored = ({ server }: Scene, id: string | undefined) =>
  server.store.snapshot().tenants.shop?.operations?.find((row) => row.id === id);
const name = (scene: Scene) => record(scene, "products", "p-1")?.data.name;
const isClosed = (scene: Scene) => stored(scene, scene.made[0]?.id)?.supersededBy !== undefined;
const isSetAside = ({ server }: Scene) =>
  server.store.snapshot().tenants.shop?.operations?.some(({ status }) => status === "quarantined") === true;

const OWNER = `shop/till-9//${RIGHTS.join(" ")}/owner`;
const rename = (version: number, more: Record<string, unknown> = {}) => edit("p-1", version, { name: "Tea" }, more);
const remove = (baseVersion: number, more: object = {}) => ({
  action: "delete",
  collection: "products",
  entityId: "p-1",
  baseVersion,
  ...more,
});
const voiding = (target: WireOperation | undefined) => ({
  action: "void",
  collection: target?.collection,
  entityId: target?.entityId,
  supersedes: [target?.id],
});

async function send(till: HttpTill, ...sketches: Parameters<typeof operation>[0][]): Promise<WireOperation[]> {
  const operations = sketches.map((sketch) => operation(sketch));
  await till.push(...operations);
  return operations;
}
const aProduct = async ({ owner }: Omit<Scene, "made">) => send(owner, product("p-1"));
const version = (scene: Omit<Scene, "made">) => record({ ...scene, made: [] }, "products", "p-1")?.version ?? 0;
/** The owner's second edit is in conflict with an edit by a third till. */
async function aConflict(scene: Omit<Scene, "made">, sketch: (base: number) => Parameters<typeof operation>[0]) {
  await aProduct(scene);
  const base = version(scene);
  const other = await openTill(scene.server, "till-8", OWNER.replace("till-9", "till-8"));
  other.incarnation = "00000000-0000-7000-8000-00000000bbbb";
  await send(other, edit("p-1", base, { name: "Soda" }));
  return send(scene.owner, sketch(base));
}
const badSale = () => sale("s-1", { totalCents: "x" });
const goodSale = (supersedes: readonly (string | undefined)[]) => sale("s-1", { totalCents: 5 }, { supersedes });
const resolve = ({ sender, made }: Scene, body: object) =>
  sender.call("POST", `conflicts/${made[0]?.id}/resolve`, body);
const release = ({ sender, made }: Scene) => sender.call("POST", `quarantine/${made[0]?.id}/release`);

const ways: Readonly<Record<string, Way>> = {
  "a fact is created": {
    covers: "fact create",
    takes: [["sell"]],
    act: ({ sender }) => send(sender, sale("s-1")),
    took: (scene) => record(scene, "sales", "s-1") !== undefined,
  },
  "a record is created": {
    covers: "record create",
    takes: [["create"]],
    act: ({ sender }) => send(sender, product("p-1")),
    took: (scene) => name(scene) !== undefined,
  },
  "a create meets a row, and the policy's resolver keeps it": {
    covers: "record create",
    takes: [["create", "update"]],
    conflict: clientWins,
    before: aProduct,
    act: ({ sender }) => send(sender, product("p-1", { name: "Tea", priceCents: 1 })),
    took: (scene) => name(scene) === "Tea",
  },
  "a record is edited": {
    covers: "record update",
    takes: [["update"]],
    before: aProduct,
    act: (scene) => send(scene.sender, rename(version(scene))),
    took: (scene) => name(scene) === "Tea",
  },
  "an edit meets a deleted row, and the policy's resolver keeps it": {
    covers: "record update",
    takes: [["update", "create"]],
    conflict: clientWins,
    before: async (scene) => [...(await aProduct(scene)), ...(await send(scene.owner, remove(version(scene))))],
    act: ({ sender }) => send(sender, rename(0)),
    took: (scene) => record(scene, "products", "p-1")?.state === "live",
  },
  "an edit is forced": {
    covers: "record update",
    takes: [["update", "force"]],
    before: aProduct,
    act: ({ sender }) => send(sender, rename(0, { force: true })),
    took: (scene) => name(scene) === "Tea",
  },
  "a record is deleted": {
    covers: "record delete",
    takes: [["delete"]],
    before: aProduct,
    act: (scene) => send(scene.sender, remove(version(scene))),
    took: (scene) => record(scene, "products", "p-1")?.state === "deleted",
  },
  "a deletion is forced": {
    covers: "record delete",
    takes: [["delete", "force"]],
    before: aProduct,
    act: ({ sender }) => send(sender, remove(0, { force: true })),
    took: (scene) => record(scene, "products", "p-1")?.state === "deleted",
  },
  "a counter moves": {
    covers: "record increment",
    takes: [["increment"]],
    act: ({ sender }) => send(sender, count("p-1", 1)),
    took: (scene) => record(scene, "products", "p-1")?.counters.stock === 1,
  },
  "an edit is set aside for its branch": {
    covers: "set aside",
    takes: [["update"]],
    before: aProduct,
    act: (scene) => send(scene.sender, rename(version(scene), { branch: "south" })),
    took: isSetAside,
  },
  "an edit is set aside because its device was revoked": {
    covers: "set aside",
    // Its token may have no rights left, and its work must not be lost for that.
    takes: [[]],
    before: async (scene) => {
      await revokeDevice({ store: scene.server.store, tenant: "shop", device: "till-1" });
      return aProduct(scene);
    },
    act: (scene) => send(scene.sender, rename(version(scene))),
    took: isSetAside,
  },
  "a person gives up a fact of theirs": {
    covers: "fact void",
    takes: [["sell"], ["sync:desk"]],
    before: (_scene, sameDevice) => send(sameDevice, badSale()),
    act: ({ sender, made }) => send(sender, voiding(made[0])),
    took: isClosed,
  },
  "a fact of another person on the same device is given up": {
    covers: "fact void",
    takes: [["sync:desk"]],
    before: (_scene, sameDevice) => {
      sameDevice.token = sameDevice.token.replace("/me", "/somebody");
      return send(sameDevice, badSale());
    },
    act: ({ sender, made }) => send(sender, voiding(made[0])),
    took: isClosed,
  },
  "a fact of another device is given up": {
    covers: "fact void",
    takes: [["sync:desk"]],
    before: ({ owner }) => send(owner, badSale()),
    act: ({ sender, made }) => send(sender, voiding(made[0])),
    took: isClosed,
  },
  "an edit of the same device is given up, whoever made it": {
    covers: "record void",
    takes: [[]],
    before: (_scene, sameDevice) => {
      sameDevice.token = sameDevice.token.replace("/me", "/somebody");
      return send(sameDevice, edit("p-1", 0, { name: "" }));
    },
    act: ({ sender, made }) => send(sender, voiding(made[0])),
    took: isClosed,
  },
  "an edit of another device is given up": {
    covers: "record void",
    takes: [["sync:desk"]],
    before: ({ owner }) => send(owner, edit("p-1", 0, { name: "" })),
    act: ({ sender, made }) => send(sender, voiding(made[0])),
    took: isClosed,
  },
  "a fact takes the place of one of the same device": {
    covers: "fact supersedes",
    takes: [["sell"]],
    before: (_scene, sameDevice) => send(sameDevice, badSale()),
    act: ({ sender, made }) => send(sender, goodSale([made[0]?.id])),
    took: isClosed,
  },
  "a fact takes the place of one of another device": {
    covers: "fact supersedes",
    takes: [["sell", "sync:desk"]],
    before: ({ owner }) => send(owner, badSale()),
    act: ({ sender, made }) => send(sender, goodSale([made[0]?.id])),
    took: isClosed,
  },
  "an edit takes the place of one of the same device": {
    covers: "record supersedes",
    takes: [["update"]],
    before: async (scene, sameDevice) => {
      await aProduct(scene);
      return send(sameDevice, edit("p-1", version(scene), { name: "" }));
    },
    act: (scene) => send(scene.sender, rename(version(scene), { supersedes: [scene.made[0]?.id] })),
    took: isClosed,
  },
  "an edit takes the place of one of another device": {
    covers: "record supersedes",
    takes: [["update", "sync:desk"]],
    before: async (scene) => {
      await aProduct(scene);
      return send(scene.owner, edit("p-1", version(scene), { name: "" }));
    },
    act: (scene) => send(scene.sender, rename(version(scene), { supersedes: [scene.made[0]?.id] })),
    took: isClosed,
  },
  "an edit is released": {
    covers: "POST quarantine/*/release",
    takes: [["update", "sync:desk"]],
    before: async (scene) => {
      await aProduct(scene);
      scene.owner.token = OWNER.replace("//", "/north/");
      return send(scene.owner, rename(version(scene), { branch: "south" }));
    },
    act: release,
    took: (scene) => name(scene) === "Tea",
  },
  "a fact is released": {
    covers: "POST quarantine/*/release",
    takes: [["sync:desk"]],
    before: async ({ server }) => send(await openTill(server, "till-7", "shop/till-7"), sale("s-1")),
    act: release,
    took: (scene) => record(scene, "sales", "s-1") !== undefined,
  },
  "a step is released": {
    covers: "POST quarantine/*/release",
    takes: [["sync:desk"]],
    before: async ({ server }) => send(await openTill(server, "till-7", "shop/till-7"), count("p-1", 1)),
    act: release,
    took: (scene) => record(scene, "products", "p-1")?.counters.stock === 1,
  },
  "a fact that nobody may create is released": {
    covers: "POST quarantine/*/release",
    takes: [],
    nobody: true,
    before: ({ owner }) => send(owner, sale("s-1")),
    act: release,
    took: (scene) => record(scene, "sales", "s-1") !== undefined,
  },
  "a fact is discarded": {
    covers: "POST quarantine/*/discard",
    takes: [["sync:desk"]],
    before: ({ owner }) => send(owner, badSale()),
    act: ({ sender, made }) => sender.call("POST", `quarantine/${made[0]?.id}/discard`, { reason: "no sale" }),
    took: (scene) => JSON.stringify(stored(scene, scene.made[0]?.id)?.result).includes("discarded"),
  },
  "a conflict is resolved with the edit": {
    covers: "POST conflicts/*/resolve",
    takes: [["update", "sync:desk"]],
    before: (scene) => aConflict(scene, rename),
    act: (scene) => resolve(scene, { choice: "client" }),
    took: (scene) => name(scene) === "Tea",
  },
  "a conflict is resolved with a merge": {
    covers: "POST conflicts/*/resolve",
    takes: [["update", "sync:desk"]],
    before: (scene) => aConflict(scene, rename),
    act: (scene) => resolve(scene, { choice: "merged", data: { name: "Tea" } }),
    took: (scene) => name(scene) === "Tea",
  },
  "a conflict is resolved with a deletion": {
    covers: "POST conflicts/*/resolve",
    takes: [["delete", "sync:desk"]],
    before: (scene) => aConflict(scene, remove),
    act: (scene) => resolve(scene, { choice: "client" }),
    took: (scene) => record(scene, "products", "p-1")?.state === "deleted",
  },
  "a conflict is resolved so that a deleted row lives again": {
    covers: "POST conflicts/*/resolve",
    takes: [["create", "sync:desk"]],
    before: async (scene) => {
      const lost = await aConflict(scene, rename);
      await send(scene.owner, remove(version(scene)));
      return lost;
    },
    act: (scene) => resolve(scene, { choice: "client", version: version(scene) }),
    took: (scene) => record(scene, "products", "p-1")?.state === "live",
  },
  "a conflict is settled as the row is": {
    covers: "POST conflicts/*/resolve",
    takes: [["sync:desk"]],
    before: (scene) => aConflict(scene, rename),
    act: (scene) => resolve(scene, { choice: "server" }),
    took: isClosed,
  },
};

function subsetsOf(rights: readonly Right[]): readonly (readonly Right[])[] {
  const masks = Array.from({ length: 2 ** rights.length }, (_, mask) => mask);
  return masks.map((mask) => rights.filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1));
}

async function tried(way: Way, rights: readonly Right[]): Promise<boolean> {
  const allow = { read: "everyone", create: way.nobody ? "nobody" : "sell" } as const;
  const server = shopServer({
    products: { ...products, ...(way.conflict && { conflict: way.conflict() }) },
    sales: { scope: "tenant", allow },
  });
  const owner = await openTill(server, "till-9", OWNER);
  owner.incarnation = "00000000-0000-7000-8000-00000000cccc";
  const sender = await openTill(server, "till-1", `shop/till-1//${RIGHTS.join(" ")}/me`);
  const made = (await way.before?.({ server, owner, sender }, sender)) ?? [];
  sender.token = `shop/till-1/${way.covers === "set aside" ? "north" : ""}/${rights.join(" ")}/me`;
  const scene = { server, owner, sender, made };
  await way.act(scene);
  return way.took(scene);
}

describe.each(Object.entries(ways))("%s", (_what, way) => {
  const named = [...new Set(way.takes.flat())];
  const others = RIGHTS.filter((right) => !named.includes(right));
  const suffices = (rights: readonly Right[]) => way.takes.some((set) => set.every((right) => rights.includes(right)));

  test("exactly with its rights, whatever others there are", async () => {
    // Where nothing suffices, all rights together do not.
    for (const rights of subsetsOf(named)) {
      expect([rights, await tried(way, rights)]).toEqual([rights, suffices(rights)]);
      if (suffices(rights) || named.length > 0) continue;
      expect(await tried(way, RIGHTS)).toBe(false);
    }
    if (named.length > 0) {
      for (const missing of named) {
        const rights = [...others, ...named.filter((right) => right !== missing)];
        expect([missing, await tried(way, rights)]).toEqual([missing, suffices(rights)]);
      }
    }
  });
});

test("every way is in the table: each action on facts and records, and whatever a desk can do", () => {
  const actions: Readonly<Record<Action, readonly string[]>> = {
    create: ["fact create", "record create"],
    update: ["record update"],
    increment: ["record increment"],
    delete: ["record delete"],
    void: ["fact void", "record void"],
  };
  const desks = endpoints.flatMap(({ method, path }) =>
    method === "POST" && path.includes("*") ? [`POST ${path.join("/")}`] : [],
  );
  const all = [...Object.values(actions).flat(), "fact supersedes", "record supersedes", "set aside", ...desks];
  expect([...new Set(Object.values(ways).map(({ covers }) => covers))].sort()).toEqual([...all].sort());
});

test("a merge changes only the fields of the conflict and of the edit that lost", async () => {
  const server = shopServer({ products });
  const owner = await openTill(server, "till-9", OWNER);
  const scene = { server, owner, sender: owner, made: [] as readonly WireOperation[] };
  const made = await aConflict(scene, rename);
  const refused = await resolve({ ...scene, made }, { choice: "merged", data: { name: "Tea", priceCents: 1 } });
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { detail: expect.stringContaining("priceCents") },
  ]);
  const unchanged = record(scene, "products", "p-1")?.data.priceCents;
  const merged = await resolve({ ...scene, made }, { choice: "merged", data: { name: "Tea", priceCents: unchanged } });
  expect(merged.status).toBe(200);
});

test("what a policy rejects stays rejected: at the release of an edit, and at the resolution of a conflict", async () => {
  const decide = ({ operation: asked }: { operation: { action: string; patch?: { name?: string } } }) =>
    asked.action === "update" && asked.patch?.name === "Tea"
      ? ({ outcome: "rejected", code: "no_tea", message: "No tea" } as const)
      : ({ outcome: "applied" } as const);
  const server = shopServer({ products: { ...products, decide: decide as never } });
  const owner = await openTill(server, "till-9", OWNER.replace("//", "/north/"));
  const scene = { server, owner, sender: owner, made: [] as readonly WireOperation[] };
  await aProduct(scene);
  const made = await send(owner, rename(version(scene), { branch: "south" }));
  const office = await openTill(server, "till-6", OWNER.replace("till-9", "till-6"));
  const released = await release({ ...scene, sender: office, made });
  expect([released.status, await released.json()]).toMatchObject([400, { detail: expect.stringContaining("No tea") }]);
  const lost = await aConflict({ ...scene, owner: office }, (base) => edit("p-1", base - 1, { name: "Mate" }));
  const resolved = await resolve({ ...scene, sender: office, made: lost }, { choice: "merged", data: { name: "Tea" } });
  expect([resolved.status, await resolved.json()]).toMatchObject([400, { detail: expect.stringContaining("No tea") }]);
  expect(name(scene)).toBe("Soda");
});
