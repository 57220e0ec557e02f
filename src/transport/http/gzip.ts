/** Bodies of requests: a till's uplink is the narrow side. (transport) */

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly encoding: "gzip" | undefined;
}

/** Below this the headers weigh more than what is saved. */
const MIN_BYTES = 1_024;

export class Gzip {
  /** Off for good once a server refused it: asking again would cost a round trip at every push. */
  #on = typeof CompressionStream === "function";

  async encode(text: string): Promise<Body> {
    const bytes = new TextEncoder().encode(text);
    if (!this.#on || bytes.length <= MIN_BYTES) return { bytes, encoding: undefined };
    // To a buffer: streamed uploads need HTTP/2, and Safari and Firefox have none.
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), encoding: "gzip" };
  }

  refused(): void {
    this.#on = false;
  }
}
