/** Where decisions, client and server have ids and randomness from; an adapter has those of its platform. (shared) */

export interface Random {
  /** A UUID, version 7 (RFC 9562): ids sort by creation, which keeps the indexes of every store compact. */
  uuid(): string;
  /** Uniform in [0, 1): jitter. */
  unit(): number;
}

/** A UUID v7 from a time and ten random bytes. */
export function uuidV7(epochMs: number, bytes: Uint8Array): string {
  const time = Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, "0").slice(-12);
  const tail = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = "89ab"[Number(bytes[2]) >> 6]; // the bits 10, then the two that no other digit shows
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(1, 4)}-${variant}${tail.slice(5, 8)}-${tail.slice(8, 20)}`;
}

/** The platform's randomness. */
export const systemRandom: Random = {
  uuid: () => uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
  unit: () => Math.random(),
};
