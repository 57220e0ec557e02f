/** SHA-256 and HMAC-SHA-256, in lower-case hex. */
import { builtinModule } from "./builtin.ts";

interface NodeHash {
  update(data: string): NodeHash;
  digest(encoding: "hex"): string;
}
interface NodeCrypto {
  createHash(algorithm: string): NodeHash;
  createHmac(algorithm: string, key: string): NodeHash;
}

export interface Digest {
  sha256(text: string): string | Promise<string>;
  hmac(key: string, text: string): string | Promise<string>;
}

/**
 * Uses Node's synchronous hash if there is one: each operation of a batch is hashed, and WebCrypto costs a trip to the
 * thread pool for each call. Uses WebCrypto everywhere else.
 */
export const systemDigest: Digest = {
  sha256(text) {
    const node = builtinModule<NodeCrypto>("node:crypto");
    return node ? node.createHash("sha256").update(text).digest("hex") : webSha256(text);
  },
  hmac(key, text) {
    const node = builtinModule<NodeCrypto>("node:crypto");
    return node ? node.createHmac("sha256", key).update(text).digest("hex") : webHmac(key, text);
  },
};

const encoder = /* @__PURE__ */ new TextEncoder();
const toHex = (bytes: ArrayBuffer) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function webSha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

async function webHmac(key: string, text: string): Promise<string> {
  return toHex(await crypto.subtle.sign("HMAC", await importedKey(key), encoder.encode(text)));
}

/** The last one that was used: a server has one key, and importing it takes longer than to sign with it. */
let last: { readonly key: string; readonly imported: CryptoKey } | undefined;

async function importedKey(key: string): Promise<CryptoKey> {
  if (last?.key === key) return last.imported;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  last = { key, imported };
  return imported;
}
