import { clientWins, lastWriteWins, manual, mergeFields, serverWins } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolverOf } from "../../src/conflict/default-resolver.ts";
import { type AnyResolver, sideOf, strategyOf } from "../../src/conflict/strategies.ts";
import { resolvedOf } from "../../src/schema/resolved.ts";

interface Product {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly note?: string | undefined;
}
const base: Product = { id: "p-1", name: "Tea", price: 250, note: "hot" };
const client: Product = { id: "p-1", name: "Green tea", price: 260, note: "cold" };
const server: Product = { id: "p-1", name: "Black tea", price: 270, note: "hot" };
const conflict = { base, client, server, fields: ["name", "price"] } as const;

describe("a strategy", () => {
  it.each([
    [serverWins(), "server", "server_wins"],
    [clientWins(), "client", "client_wins"],
    [lastWriteWins(), "client", "last_write_wins"],
    [manual(), "manual", "manual"],
  ])("answers its side, and is known by name (%#)", (resolver, side, strategy) => {
    expect(resolver(conflict)).toBe(side);
    expect(strategyOf(resolver)).toBe(strategy);
    expect(sideOf(resolver)).toBe(side);
  });

  it("of the application's own, or of a later version, is custom: people decide where it can't be called", () => {
    const later: AnyResolver = Object.assign(() => "server" as const, { "~strategy": "oracle" });
    for (const resolver of [() => "server" as const, later]) expect(sideOf(resolver)).toBe("manual");
    expect(strategyOf(() => "server")).toBe("custom");
  });
});

describe("mergeFields", () => {
  it("keeps the server's value in fields without a rule, and what only the client changed", () => {
    expect(mergeFields<Product>()(conflict)).toEqual({ ...server, note: "cold" });
  });

  it("answers the server's side where nothing of the client is left", () => {
    expect(mergeFields<Product>()({ ...conflict, client: { ...client, note: "hot" } })).toBe("server");
    const same = mergeFields<Product>({ name: ({ server }) => server });
    expect(same({ ...conflict, client: { ...client, note: "hot" } })).toBe("server");
  });

  it("settles each field by its rule", () => {
    const resolver = mergeFields<Product>({
      name: ({ base, client, server }) => `${base}|${client}|${server}`,
      price: "client",
    });
    expect(resolver(conflict)).toEqual({ id: "p-1", name: "Tea|Green tea|Black tea", price: 260, note: "cold" });
  });

  it("gives a field without a rule to `otherwise`", () => {
    expect(mergeFields<Product>({ price: "server" }, "client")(conflict)).toEqual({ ...client, price: 270 });
    expect(mergeFields<Product>({ price: "server" }, "manual")(conflict)).toBe("manual");
  });

  it("leaves all to people where one field in conflict is theirs, and only then", () => {
    const resolver = mergeFields<Product>({ price: "manual" });
    expect(resolver(conflict)).toBe("manual");
    expect(resolver({ ...conflict, fields: ["name"] })).toEqual({ ...server, price: 260, note: "cold" });
  });

  it("does not ask the rules of fields that are not in conflict", () => {
    const resolver = mergeFields<Product>({
      note: () => {
        throw new Error("not asked");
      },
    });
    expect(resolver(conflict)).toEqual({ ...server, note: "cold" });
  });

  it("removes a field that a rule makes undefined", () => {
    const resolver = mergeFields<Product>({ note: () => undefined });
    const resolved = resolver({ ...conflict, server: { ...server, note: "warm" }, fields: ["name", "price", "note"] });
    expect(resolved).toEqual({ id: "p-1", name: "Black tea", price: 270 });
  });

  it("has no rule for a field called like something every object has", () => {
    const fields = ["toString"] as never;
    const sides = { base: undefined, client: { toString: "a" }, server: { toString: "b" }, fields };
    expect(mergeFields()(sides as never)).toBe("server");
  });

  it("is known by name, with the side that decides where a record is deleted", () => {
    expect(strategyOf(mergeFields())).toBe("merge");
    expect(sideOf(mergeFields())).toBe("server");
    expect(sideOf(mergeFields({}, "client"))).toBe("client");
  });

  it("refuses a rule that is none, when it is made", () => {
    expect(() => mergeFields({ price: "local" } as never)).toThrow(
      'Expected `mergeFields.price` to be "server", "client" or "manual", or a function, got "local".',
    );
    expect(() => mergeFields({}, "remote" as never)).toThrow("Expected `otherwise`");
  });
});

describe("resolverOf", () => {
  const schema = z.object({ name: z.string() });

  it("is the collection's own", () => {
    const conflict = manual();
    expect(resolverOf(resolvedOf(defineCollection({ schema, conflict })))).toBe(conflict);
  });

  it("is the merge for the server where nothing was said", () => {
    const resolver = resolverOf(resolvedOf(defineCollection({ schema })));
    expect([strategyOf(resolver), sideOf(resolver)]).toEqual(["merge", "server"]);
  });
});
