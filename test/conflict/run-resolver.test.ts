import { clientWins, lastWriteWins, manual, mergeFields, serverWins } from "tillsync/conflict";
import { describe, expect, it } from "vitest";
import { runResolver } from "../../src/conflict/run-resolver.ts";
import type { AnyResolver } from "../../src/conflict/strategies.ts";

const base = { id: "p-1", name: "Tea", price: 250, stock: 20 };
const client = { id: "p-1", name: "Green tea", price: 260, stock: 18 };
const server = { id: "p-1", name: "Tea", price: 270, stock: 15 };
const sides = { base, client, server, fields: ["price"], excluded: ["stock"] };
const run = (resolver: AnyResolver, more: object = {}) => runResolver(resolver, { ...sides, ...more });

describe("runResolver", () => {
  it("answers the side that the resolver names", () => {
    expect(run(serverWins())).toEqual({ kept: "server" });
    expect(run(clientWins())).toEqual({ kept: "client" });
    expect(run(lastWriteWins())).toEqual({ kept: "client" });
    expect(run(manual())).toEqual({ kept: "manual" });
  });

  it("answers the merged record, with the server's id and counters", () => {
    expect(run(mergeFields())).toEqual({
      kept: "merged",
      record: { id: "p-1", name: "Green tea", price: 270, stock: 15 },
    });
    expect(run(() => ({ id: "another", name: "x", price: 1, note: undefined }))).toEqual({
      kept: "merged",
      record: { id: "p-1", name: "x", price: 1, stock: 15 },
    });
  });

  it("takes a record that says the same as the server's for the server's side", () => {
    expect(run(({ server, client }) => ({ ...server, stock: client.stock }))).toEqual({ kept: "server" });
    expect(run(mergeFields(), { client: { ...client, name: "Tea" } })).toEqual({ kept: "server" });
  });

  it("asks nobody where both sides have come to say the same", () => {
    const never = () => {
      throw new Error("not asked");
    };
    expect(run(never, { client: { ...server, stock: 1 } })).toEqual({ kept: "server" });
  });

  it("names the fields in conflict that the server did not, so that no rule passes over them", () => {
    const seen: (readonly string[])[] = [];
    const spy: AnyResolver = ({ fields }) => {
      seen.push(fields as readonly string[]);
      return "manual";
    };
    run(spy, { fields: [] });
    run(spy, { base: undefined, fields: [] });
    expect(seen).toEqual([["price"], ["name", "price"]]);
  });

  it("leaves two creations of one id to `otherwise`", () => {
    expect(run(mergeFields({}, "manual"), { base: undefined, fields: [] })).toEqual({ kept: "manual" });
    expect(run(mergeFields(), { base: undefined, fields: [] })).toEqual({ kept: "server" });
  });

  it.each([
    ["serverWins", serverWins(), "server"],
    ["clientWins", clientWins(), "client"],
    ["lastWriteWins", lastWriteWins(), "client"],
    ["manual", manual(), "manual"],
    ["mergeFields", mergeFields({ price: "client" }), "server"],
    ["mergeFields with otherwise", mergeFields({}, "client"), "client"],
    ["a function", () => "client" as const, "manual"],
  ])("lets %s decide by its strategy where a side has deleted the record", (_name, resolver, kept) => {
    expect(run(resolver, { server: undefined })).toEqual({ kept });
    expect(run(resolver, { client: undefined })).toEqual({ kept });
  });
});

describe("a resolver with a defect leaves the conflict to people, and the defect is told:", () => {
  it("one that throws", () => {
    const fault = new Error("boom");
    const resolver = () => {
      throw fault;
    };
    expect(run(resolver)).toEqual({ kept: "manual", fault });
  });

  it.each([
    ["nothing", undefined, "undefined"],
    ["another word", "local", '"local"'],
    ["a bigint", 1n, "a bigint"],
    ["an array", [client], "an array of 1"],
    ["a record with a Date", { ...client, at: new Date(0) }, "an instance of Date at `at`"],
    ["an object of a class", new Map(), "an instance of Map"],
  ])("one that answers %s", (_name, answer, got) => {
    const resolution = run(() => answer as never);
    expect(resolution).toMatchObject({ kept: "manual", fault: { message: expect.stringContaining(`got ${got}`) } });
  });

  it("one that is asynchronous, whose rejection goes no further", () => {
    const resolution = run((async () => Promise.reject(new Error("late"))) as never);
    expect(resolution).toMatchObject({ kept: "manual", fault: { message: expect.stringContaining("got a promise") } });
  });

  it("one that edits its arguments, and the rows stay as they are", () => {
    const resolver: AnyResolver = ({ server }) => {
      server.price = 0;
      return server;
    };
    expect(run(resolver)).toMatchObject({ kept: "manual", fault: expect.any(TypeError) });
    expect(server.price).toBe(270);
    expect(Object.isFrozen(server)).toBe(false);
  });
});
