/**
 * Opaque tokens: values that the server issues, and gets back unchanged.
 *
 * They are authenticated with the database's own key: a forged cursor must not open another branch, and a forged mark
 * must not make the server begin a new epoch. They are not encrypted, because they contain nothing that their holder
 * may not know.
 */
import type { Digest } from "../../shared/digest.ts";
import type { ServerStore } from "../ports/store.ts";
import { throwStoreFailure } from "../problems.ts";

/** 128 bits of the HMAC, in hex digits. That is strong enough here, and a request may carry sixty cursors. */
const MAC_LENGTH = 32;

export class Seal {
  readonly #store: ServerStore;
  readonly #digest: Digest;
  #secret: Promise<string> | undefined;

  constructor(store: ServerStore, digest: Digest) {
    this.#store = store;
    this.#digest = digest;
  }

  async mac(text: string): Promise<string> {
    const secret = await this.#key();
    return (await this.#digest.hmac(secret, text)).slice(0, MAC_LENGTH);
  }

  async verify(text: string, mac: string): Promise<boolean> {
    return sameText(await this.mac(text), mac);
  }

  async sha256(text: string): Promise<string> {
    return this.#digest.sha256(text);
  }

  /** @param purpose prevents that a mark is accepted as a cursor, or one tenant's token as another's */
  async seal(purpose: string, content: unknown): Promise<string> {
    const body = toBase64Url(JSON.stringify(content));
    return `${body}.${await this.mac(`${purpose} ${body}`)}`;
  }

  /** Returns `undefined` for a token that was not issued by this database, or was issued for another purpose. */
  async open(purpose: string, token: string): Promise<unknown> {
    const [body, mac, rest] = token.split(".");
    if (body === undefined || mac === undefined || rest !== undefined) return undefined;
    if (!(await this.verify(`${purpose} ${body}`, mac))) return undefined;
    return JSON.parse(fromBase64Url(body)) as unknown;
  }

  /** The key is read once. A failure is not remembered. */
  #key(): Promise<string> {
    this.#secret ??= this.#store.secret().catch((error: unknown) => {
      this.#secret = undefined;
      return throwStoreFailure(error);
    });
    return this.#secret;
  }
}

/** Compares in a time that does not depend on where the texts differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}

/** The text must be ASCII: everything that is put into a token is. */
function toBase64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64Url(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}
