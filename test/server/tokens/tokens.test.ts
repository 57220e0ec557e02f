/** Epochs as strings: whom they were issued to. */
import { expect, test } from "vitest";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { Seal } from "../../../src/server/tokens/seal.ts";
import { Tokens } from "../../../src/server/tokens/tokens.ts";
import { systemDigest } from "../../../src/shared/digest.ts";
import { silentLogger } from "../../../src/shared/logger.ts";

const RANDOM = "019a9f3c-5e00-7000-8000-0000000000a1";
const tokens = () => new Tokens(new Seal(memoryStore(), systemDigest), silentLogger);

/** Two shops whose ids have the same tag. Among 200,000 there are some five pairs. */
function sameTag(): readonly [string, string] {
  const byTag = new Map<string, string>();
  for (let n = 0; ; n += 1) {
    const tenant = `shop-${n}`;
    const tag = (systemDigest.sha256(tenant) as string).slice(0, 8);
    const other = byTag.get(tag);
    if (other !== undefined) return [other, tenant];
    byTag.set(tag, tenant);
  }
}

test("an epoch is authentic for the shop that it was issued to", async () => {
  const issuer = tokens();
  const epoch = await issuer.makeEpoch("shop-1", 3, RANDOM);
  expect(await issuer.readEpoch("shop-1", epoch)).toEqual({ kind: "authentic", epoch, ordinal: 3 });
  expect(await issuer.readEpoch("shop-2", epoch)).toEqual({ kind: "other_tenant" });
  expect(await tokens().readEpoch("shop-1", epoch)).toEqual({ kind: "foreign" });
});

test("an epoch is not authentic for another shop whose tag is the same", async () => {
  const [one, other] = sameTag();
  const issuer = tokens();
  const epoch = await issuer.makeEpoch(one, 3, RANDOM);
  expect(await issuer.readEpoch(other, epoch)).toEqual({ kind: "foreign" });
});
