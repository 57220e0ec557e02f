/** A built page of a few files, read once and served from memory. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, relative } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import type { Context, Next } from "hono";

export interface Page {
  /** By path: `/index.html`. */
  readonly files: ReadonlyMap<string, PageFile>;
}
interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
}

const INDEX = "/index.html";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};
/** Paths that belong to the server's API, for every caller. */
const API = /^\/(sync|auth|health)(\/|$)/;

/** The page may use only its own scripts, styles and images, and call only its own server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
} as const;

export function readPage(folder: string): Page {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
  return { files: new Map(paths.map((path) => [`/${relative(folder, path).replaceAll("\\", "/")}`, fileAt(path)])) };
}

function fileAt(path: string): PageFile {
  const body = new Uint8Array(readFileSync(path));
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  // The name of an asset contains a digest of its content: under this name it never changes.
  const isAsset = path.replaceAll("\\", "/").includes("/assets/");
  return {
    body,
    brotli: new Uint8Array(brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
    type,
    etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    cacheControl: isAsset ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

/**
 * Middleware after the API. It serves the page's files, and the page's index for every other address that a browser
 * navigates to. A program that requests `/` receives the API's welcome, because it does not ask for HTML.
 */
export function servePage({ files }: Page) {
  return async (context: Context, next: Next) => {
    const { method, path } = context.req;
    if (method !== "GET" && method !== "HEAD") return next();
    const file = files.get(path) ?? (isNavigation(context) ? files.get(INDEX) : undefined);
    return file === undefined ? next() : answer(context, file);
  };
}

function isNavigation(context: Context): boolean {
  const { path } = context.req;
  // A missing asset is a 404: the index in its place would be run as a script.
  return !API.test(path) && !path.startsWith("/assets/") && (context.req.header("accept") ?? "").includes("text/html");
}

function answer(context: Context, { body, brotli, type, etag, cacheControl }: PageFile): Response {
  const headers = {
    ...HEADERS,
    "content-type": type,
    "cache-control": cacheControl,
    etag,
    vary: "accept, accept-encoding",
  };
  if (context.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  const isSmall = /\bbr\b/.test(context.req.header("accept-encoding") ?? "");
  const content = isSmall ? brotli : body;
  return new Response(context.req.method === "HEAD" ? null : content, {
    headers: {
      ...headers,
      "content-length": String(content.byteLength),
      ...(isSmall && { "content-encoding": "br" }),
    },
  });
}
