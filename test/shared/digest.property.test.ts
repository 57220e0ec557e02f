/** A till hashes with what its platform has, and the server with Node: a hash that differed would be another operation (L3). */
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { systemDigest } from "../../src/shared/digest.ts";
import { anyText } from "../support/json-values.ts";
import { times } from "../support/property.ts";

afterEach(() => void vi.restoreAllMocks());

test("Node's own hash and WebCrypto's are the same, of whatever text", async () => {
  await fc.assert(
    fc.asyncProperty(anyText, fc.string({ minLength: 1, maxLength: 4 }), async (words, key) => {
      const onNode = [await systemDigest.sha256(words), await systemDigest.hmac(key, words)];
      const platform = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
      const elsewhere = [await systemDigest.sha256(words), await systemDigest.hmac(key, words)];
      platform.mockRestore();
      expect(elsewhere).toEqual(onNode);
      for (const hash of onNode) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    }),
    times(200),
  );
});
