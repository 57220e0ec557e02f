/** Seals the secrets of second factors, which the server must be able to read: with AES-256-GCM, under the signing keys. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { SigningKey, SigningKeys } from "./keys.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Opened {
  readonly secret: Uint8Array;
  /** Whether it was sealed with a key that is about to be removed. */
  readonly isOutdated: boolean;
}

export class SecretBox {
  readonly #keys: SigningKeys;

  constructor(keys: SigningKeys) {
    this.#keys = keys;
  }

  /** @param owner whose it is: what is copied to another user's row can't be opened there */
  seal(secret: Uint8Array, owner: string): string {
    const [key] = this.#keys;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, derived(key), nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    return `${key.id}.${sealed.toString("base64url")}`;
  }

  /** `undefined` if its key was removed, or if it was changed. */
  open(text: string, owner: string): Opened | undefined {
    const [id, body = ""] = text.split(".");
    const key = this.#keys.find((known) => known.id === id);
    if (key === undefined) return undefined;
    const sealed = Buffer.from(body, "base64url");
    const tag = sealed.subarray(-TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, derived(key), sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(tag);
    try {
      const secret = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return { secret, isOutdated: key !== this.#keys[0] };
    } catch {
      return undefined;
    }
  }
}

/** A key for this purpose alone: what signs tokens encrypts nothing. */
function derived(key: SigningKey): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key.secret, "", "tillsync second factor", KEY_BYTES));
}
