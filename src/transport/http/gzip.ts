/** Bodies of requests: a till's uplink is the narrow side. */

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isGzipped: boolean;
}

export interface Gzip {
  encode(text: string): Promise<Body>;
  /** Off for good once a server refused it: asking again would cost a round trip at every push. */
  refused(): void;
}

/** Below this the headers weigh more than what is saved. */
const MIN_BYTES = 1_024;

export function createGzip(): Gzip {
  let isOn = typeof CompressionStream === "function";
  return {
    async encode(text) {
      const bytes = new TextEncoder().encode(text);
      if (!isOn || bytes.length <= MIN_BYTES) return { bytes, isGzipped: false };
      // To a buffer: streamed uploads need HTTP/2, and Safari and Firefox have none.
      const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
      return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), isGzipped: true };
    },
    refused() {
      isOn = false;
    },
  };
}
