/**
 * A request's body, in the order that lets nothing large or poisoned through: size, inflated size, UTF-8, nesting, JSON.
 *
 * gzip through Node where there is one: `DecompressionStream` costs seven times as much, and serves elsewhere.
 */
import { MESSAGE_DEPTH } from "../../protocol/constants.ts";
import { builtinModule } from "../../shared/builtin.ts";
import { scanJsonText } from "../../shared/json.ts";
import { RequestProblem } from "../problems.ts";

export interface BodyLimits {
  /** Of a body that is gzip. */
  readonly maxCompressedBytes: number;
  /** Inflated, or sent as it is. */
  readonly maxBytes: number;
}

export interface Body {
  readonly value: unknown;
  /** UTF-8 bytes of the JSON text. */
  readonly bytes: number;
}

/**
 * One operation may nest deeper than the protocol allows without being the whole request's fault [C9]: it gets its own result. This is
 * the depth from which the text is dangerous in itself.
 */
const MAX_TEXT_DEPTH = MESSAGE_DEPTH * 4;
/**
 * A body of 8 MiB may hold four million values, which cost hundreds of megabytes as long as the request waits, and a few kilobytes of gzip
 * to send (L12). No transaction of the protocol's size has as many as this: a till that is refused halves its batch and gets through.
 */
const MAX_VALUES = 500_000;

/** @throws RequestProblem `malformed`, `too_large`, `unsupported_encoding` */
export async function readBody(request: Request, limits: BodyLimits): Promise<Body> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new RequestProblem("unsupported_encoding", "A body may be gzip, and nothing else", {
      headers: { "accept-encoding": "gzip" },
    });
  }
  const isGzip = encoding === "gzip";
  const cap = isGzip ? limits.maxCompressedBytes : limits.maxBytes;
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > cap) throw tooLarge(cap);
  const received = await collect(request.body, cap);
  const bytes = isGzip ? await inflate(received, limits.maxBytes) : received;
  return { value: parseJson(decode(bytes)), bytes: bytes.byteLength };
}

/** Counts what comes, and believes no header. */
async function collect(body: ReadableStream<Uint8Array> | null, cap: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new RequestProblem("malformed", "The body broke off");
    });
    if (done) break;
    size += value.byteLength;
    if (size > cap) {
      // Nothing more of it is wanted; whether the peer hears of that is its own matter.
      reader.cancel().catch(() => {});
      throw tooLarge(cap);
    }
    chunks.push(value);
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const all = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}

interface NodeZlib {
  gunzip(
    data: Uint8Array,
    options: { maxOutputLength: number },
    done: (error: (Error & { code?: string }) | null, data: Uint8Array) => void,
  ): void;
}

async function inflate(compressed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const zlib = builtinModule<NodeZlib>("node:zlib");
  if (zlib === undefined) return inflateByStream(compressed, maxBytes);
  return new Promise((resolve, reject) => {
    zlib.gunzip(compressed, { maxOutputLength: maxBytes }, (error, data) => {
      if (error === null) resolve(data);
      else reject(error.code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(maxBytes) : notGzip());
    });
  });
}

async function inflateByStream(compressed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const stream = new Blob([compressed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return collect(stream, maxBytes).catch((error: unknown) => {
    throw error instanceof RequestProblem && error.code === "too_large" ? error : notGzip();
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestProblem("malformed", "The body is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  const fault = scanJsonText(text, { maxDepth: MAX_TEXT_DEPTH, maxKeys: MAX_VALUES, maxValues: MAX_VALUES });
  if (fault !== undefined) {
    const what =
      fault.reason === "too_deep" ? `nested deeper than ${MAX_TEXT_DEPTH}` : `of more than ${MAX_VALUES} values`;
    throw new RequestProblem("malformed", `The body is ${what}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the text: a customer's data.
    throw new RequestProblem("malformed", "The body is not JSON");
  }
}

function tooLarge(bytes: number): RequestProblem {
  return new RequestProblem("too_large", `The body has more than ${bytes} bytes`);
}

function notGzip(): RequestProblem {
  return new RequestProblem("malformed", "The body is no gzip, or broke off");
}
