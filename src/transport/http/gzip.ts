/** Compresses the bodies of requests, because a till's uplink is slow. */

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isGzipped: boolean;
}

export interface Gzip {
  encode(text: string): Promise<Body>;
  /** Turns compression off for good, after a server refused it: trying again would cost a round trip for every push. */
  refused(): void;
}

/** Below this, compression costs more than it saves. */
const MIN_BYTES = 1_024;

export function createGzip(): Gzip {
  let isOn = typeof CompressionStream === "function";
  return {
    async encode(text) {
      const bytes = new TextEncoder().encode(text);
      if (!isOn || bytes.length <= MIN_BYTES) return { bytes, isGzipped: false };
      // Into a buffer: streamed uploads need HTTP/2, and Safari and Firefox don't support them.
      const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
      return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), isGzipped: true };
    },
    refused() {
      isOn = false;
    },
  };
}
