/**
 * Whatever stands in one operation, only that operation has trouble with it [C9], and people see it as it was sent (L1).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PushResponse, QuarantineResponse } from "../../../src/protocol/types.ts";
import { times } from "../../support/property.ts";
import { HttpTill, openTill, operation, shopServer } from "../support/http.ts";
import { sale, uuid } from "../support/world.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
/** JSON texts that a parser takes, and that no operation may have. */
const hostile = fc.oneof(
  fc.integer({ min: 33, max: 5_000 }).map(nested),
  fc.constantFrom("1e400", "-1e999", "9007199254740993", String.raw`"a\u0000b"`, String.raw`"\ud800"`),
  fc.constantFrom('{"__proto__":1}', '{"constructor":[]}', String.raw`{"\udfff":0}`),
  fc.bigInt({ min: 2n ** 53n, max: 10n ** 30n }).map(String),
);
const gap = fc.constantFrom("", " ", "\n  ");

test("every other operation of the push is applied, and this one is kept as it was sent", async () => {
  await fc.assert(
    fc.asyncProperty(
      hostile,
      gap,
      fc.integer({ min: 0, max: 4 }),
      fc.boolean(),
      async (value, space, place, isLarge) => {
        const server = shopServer();
        const till = await openTill(server);
        const good = Array.from({ length: 4 }, (_, n) => operation(sale(`s-${n}`)));
        const fill = isLarge ? `,"fill":"${"x".repeat(260 * 1024)}"` : "";
        const head = JSON.stringify(operation(sale("s-bad"))).slice(1, -1);
        const bad = `{${head},${space}"strange":${space}${value}${fill}}`;
        const texts = good.map((each) => JSON.stringify(each));
        texts.splice(place, 0, bad);
        const frame = JSON.stringify(till.frame).slice(1, -1);
        const response = await till.call("POST", "push", `{${frame},"operations":[${texts.join(`${space},`)}]}`);
        expect(response.status).toBe(200);
        const { results } = (await response.json()) as PushResponse;
        const { id } = JSON.parse(`{${head}}`) as { id: string };
        const byId = new Map(results.map((result) => [result.id, result]));
        expect(good.map((each) => byId.get(each.id)?.status)).toEqual(good.map(() => "applied"));
        expect(byId.get(id)).toMatchObject({
          status: "quarantined",
          error: { code: isLarge ? "too_large" : "malformed" },
        });
        const office = new HttpTill(server, "", "shop///sync:desk");
        const list = await server.handler(
          new Request("http://shop.test/sync/quarantine", {
            headers: {
              authorization: `Bearer ${office.token}`,
              "tillsync-protocol": "1",
              "tillsync-request-id": uuid(1),
            },
          }),
        );
        const { quarantined } = (await list.json()) as QuarantineResponse;
        expect(quarantined).toHaveLength(1);
        const kept = quarantined[0]?.operation.raw;
        expect(kept).toBe(isLarge ? bad.slice(0, 256 * 1024) : bad);

        // The same text again is the same operation; another one is not.
        const again = await till.call("POST", "push", `{${frame},"operations":[${bad}]}`);
        expect(((await again.json()) as PushResponse).results.find((each) => each.id === id)).toMatchObject({
          status: "quarantined",
          replayed: true,
        });
        const other = `{${head},"strange":[${value}]}`;
        const differs = await till.call("POST", "push", `{${frame},"operations":[${other}]}`);
        expect(((await differs.json()) as PushResponse).results.find((each) => each.id === id)).toMatchObject({
          status: "rejected",
          error: { code: "operation_id_reused" },
        });
      },
    ),
    times(40),
  );
});
