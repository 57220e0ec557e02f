/** The only source of randomness. (shared) */

export interface Random {
  /** A UUID, version 7 (RFC 9562): ids sort by creation, which keeps the indexes of every store compact. */
  uuid(): string;
  /** Uniform in [0, 1): jitter. */
  unit(): number;
}

const hex = (byte: number) => byte.toString(16).padStart(2, "0");

/** A UUID v7 from a time and ten random bytes. */
export function uuidV7(epochMs: number, bytes: Uint8Array): string {
  const time = Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, "0").slice(-12);
  const random = [...bytes.subarray(0, 10)];
  random[0] = ((random[0] ?? 0) & 0x0f) | 0x70; // version 7
  random[2] = ((random[2] ?? 0) & 0x3f) | 0x80; // variant 10
  const tail = random.map(hex).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

/** The platform's randomness. */
export const systemRandom: Random = {
  uuid: () => uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
  unit: () => Math.random(),
};
