/** The only source of ids and randomness for client, server and decisions. Adapters may use their platform's. */

/** Ids and randomness. */
export interface Random {
  /** A UUID of version 7 (RFC 9562). Such ids sort by creation, which keeps the indexes of every store compact. */
  uuid(): string;
  /** A number from 0 up to, but not including, 1, uniformly distributed. For jitter. */
  unit(): number;
}

/** A UUID of version 7 from a time and ten random bytes. */
export function uuidV7(epochMs: number, bytes: Uint8Array): string {
  const time = Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, "0").slice(-12);
  let tail = "";
  for (const byte of bytes) tail += (byte + 256).toString(16).slice(1);
  const variant = "89ab"[Number(bytes[2]) >> 6]; // the bits 10, then the two that no other digit shows
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(1, 4)}-${variant}${tail.slice(5, 8)}-${tail.slice(8, 20)}`;
}

const BYTES = 10;
/** Random bytes for many ids: a call to the platform costs more than an id. */
const pool = new Uint8Array(64 * BYTES);
let drawn = pool.length;

function nextBytes(): Uint8Array {
  if (drawn === pool.length) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  drawn += BYTES;
  return pool.subarray(drawn - BYTES, drawn);
}

/** The platform's randomness. */
export const systemRandom: Random = {
  uuid: () => uuidV7(Date.now(), nextBytes()),
  unit: () => Math.random(),
};
