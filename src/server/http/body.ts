/**
 * Reads a request's body. The order of the checks keeps out everything that is too large or dangerous: size, inflated
 * size, UTF-8, nesting, JSON.
 *
 * On Node, gzip is inflated by `node:zlib`, since `DecompressionStream` costs seven times as much. Other platforms use
 * the latter.
 */
import { MESSAGE_DEPTH } from "../../protocol/constants.ts";
import { builtinModule } from "../../shared/builtin.ts";
import { scanJsonText, withoutDepth } from "../../shared/json.ts";
import { RequestProblem } from "../problems.ts";
import type { BodyShare } from "./body-budget.ts";

export interface BodyLimits {
  /** For a gzip body, as it is received. */
  readonly maxCompressedBytes: number;
  /** For a body after inflating, or one that is not compressed. */
  readonly maxBytes: number;
}

export interface Body {
  readonly value: unknown;
  /** The JSON text. Where it nests deeper than anything that is read, `value` has `null`. */
  readonly text: string;
  /** UTF-8 bytes of the JSON text. */
  readonly bytes: number;
}

/**
 * One operation that nests deeper than the protocol allows must not fail the whole request [C9]: it gets its own
 * result. What walks a value would overflow the stack at some depth, so nothing below this one is read. It is more than
 * a message may have, so an operation that is cut there is malformed in any case.
 */
const MAX_READ_DEPTH = MESSAGE_DEPTH * 4;
/**
 * A body of 8 MiB may hold four million values. Those cost hundreds of megabytes while the request waits, but only a
 * few kilobytes of gzip to send (L12). No transaction that the protocol allows has as many values as this limit: a till
 * that is refused halves its batch, and then succeeds.
 */
const MAX_VALUES = 500_000;

/** No deflate stream has a higher ratio: https://www.zlib.net/zlib_tech.html */
const MAX_RATIO = 1_032;

/**
 * @param share of the memory for bodies. It is kept until the caller gives it back
 * @throws RequestProblem `malformed`, `too_large`, `unsupported_encoding`, `unavailable`
 */
export async function readBody(request: Request, limits: BodyLimits, share: BodyShare): Promise<Body> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new RequestProblem("unsupported_encoding", "A body may be encoded with gzip, and with nothing else", {
      headers: { "accept-encoding": "gzip" },
    });
  }
  const isGzip = encoding === "gzip";
  const cap = isGzip ? limits.maxCompressedBytes : limits.maxBytes;
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > cap) throw tooLarge(cap);
  const received = await collect(await streamOf(request), cap, share);
  const mostBytes = isGzip ? Math.min(limits.maxBytes, received.byteLength * MAX_RATIO) : received.byteLength;
  await share.serve(mostBytes);
  const bytes = isGzip ? await inflate(received, limits.maxBytes) : received;
  share.has(bytes.byteLength);
  const text = decode(bytes);
  return { value: parseJson(text), text, bytes: bytes.byteLength };
}

/**
 * Firefox has no `Request.prototype.body`. A blob has it all, but tells its size before its bytes are read, and need not
 * be in memory.
 */
async function streamOf(request: Request): Promise<ReadableStream<Uint8Array> | null> {
  const { body } = request as { readonly body?: ReadableStream<Uint8Array> | null };
  return body === undefined ? (await request.blob().catch(endedEarly)).stream() : body;
}

/** Counts the bytes that arrive, and trusts no header. */
async function collect(body: ReadableStream<Uint8Array> | null, cap: number, share?: BodyShare): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  share?.onRefused(stop);
  for (;;) {
    const { done, value } = await reader.read().catch(endedEarly);
    if (done) break;
    size += value.byteLength;
    if (size > cap) {
      // The rest is not needed. Whether the peer learns of that does not matter here.
      stop();
      throw tooLarge(cap);
    }
    share?.received(value.byteLength);
    chunks.push(value);
  }
  // A body that was stopped has ended too.
  share?.received(0);
  return joined(chunks, size);
}

function endedEarly(): never {
  throw new RequestProblem("malformed", "The body ended early");
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
  const limits = { maxKeys: MAX_VALUES, maxValues: MAX_VALUES };
  if (scanJsonText(text, { ...limits, maxDepth: Number.POSITIVE_INFINITY }) !== undefined)
    throw new RequestProblem("malformed", `The body is of more than ${MAX_VALUES} values`);
  try {
    const value: unknown = JSON.parse(text);
    const isDeep = scanJsonText(text, { ...limits, maxDepth: MAX_READ_DEPTH }) !== undefined;
    return isDeep ? JSON.parse(withoutDepth(text, MAX_READ_DEPTH)) : value;
  } catch {
    // The parser's own message quotes the text, which may be a customer's data.
    throw new RequestProblem("malformed", "The body is not JSON");
  }
}

function tooLarge(bytes: number): RequestProblem {
  return new RequestProblem("too_large", `The body has more than ${bytes} bytes`);
}

function notGzip(): RequestProblem {
  return new RequestProblem("malformed", "The body is not gzip, or ended early");
}
