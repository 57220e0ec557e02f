/**
 * Opaque tokens: what the server hands out to get it back as it was.
 *
 * Authenticated with the database's own key: a cursor that a client has made up must not open another branch, and a mark must not
 * talk the server into a new epoch. Not encrypted: there is nothing in them that their holder may not know.
 */
import type { Digest } from "../../shared/digest.ts";
import type { ServerStore } from "../ports/store.ts";
import { storeFailure } from "../problems.ts";

/** 128 bits of the HMAC: as good as all of them here, and a request carries sixty cursors. */
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

  /** @param purpose keeps a mark from passing as a cursor, and one tenant's from passing as another's */
  async seal(purpose: string, content: unknown): Promise<string> {
    const body = toBase64Url(JSON.stringify(content));
    return `${body}.${await this.mac(`${purpose} ${body}`)}`;
  }

  /** `undefined`: not made by this database, or for another purpose. */
  async open(purpose: string, token: string): Promise<unknown> {
    const [body, mac, rest] = token.split(".");
    if (body === undefined || mac === undefined || rest !== undefined) return undefined;
    if (!(await this.verify(`${purpose} ${body}`, mac))) return undefined;
    return JSON.parse(fromBase64Url(body)) as unknown;
  }

  /** Asked once; a failure is not remembered. */
  #key(): Promise<string> {
    this.#secret ??= this.#store.secret().catch((error: unknown) => {
      this.#secret = undefined;
      throw storeFailure(error);
    });
    return this.#secret;
  }
}

/** In the same time wherever they differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}

/** Of ASCII: everything that is put into a token is. */
function toBase64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64Url(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}
