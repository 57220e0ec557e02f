/** Makes responses: the headers that each of them carries, and gzip if it is worth it. */
import { CONTENT_TYPE, HEADERS, PROBLEM_CONTENT_TYPE, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { builtinModule } from "../../shared/builtin.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import { problemBody, type RequestProblem } from "../problems.ts";

/** A smaller answer fits into one packet anyway. */
const GZIP_FROM_BYTES = 1024;

interface NodeZlib {
  gzip(
    data: string,
    options: { level: number },
    done: (error: Error | null, data: Uint8Array<ArrayBuffer>) => void,
  ): void;
}

/** A string is JSON already. */
export type AnswerBody = object | string;

export interface AnswerContext {
  readonly requestId: string;
  readonly now: number;
  readonly acceptsGzip: boolean;
}

export function acceptsGzip(request: Request): boolean {
  const accepted = (request.headers.get("accept-encoding") ?? "").toLowerCase().split(",");
  return accepted.some((entry) => {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim());
    return name === "gzip" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

export function answer(context: AnswerContext, body: AnswerBody): Promise<Response> {
  return respond(context, body, { status: 200, contentType: CONTENT_TYPE });
}

export function answerProblem(context: AnswerContext, problem: RequestProblem): Promise<Response> {
  const body = problemBody(problem, context.requestId);
  const { headers } = problem.more;
  return respond(context, body, { status: body.status, contentType: PROBLEM_CONTENT_TYPE, headers });
}

interface Kind {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

async function respond(
  { requestId, now, acceptsGzip }: AnswerContext,
  body: AnswerBody,
  { status, contentType, headers: more }: Kind,
): Promise<Response> {
  const headers: Record<string, string> = {
    "content-type": contentType,
    [HEADERS.protocol]: String(PROTOCOL_VERSION),
    [HEADERS.requestId]: requestId,
    [HEADERS.serverTime]: rfc3339(now),
    // A cached answer has the id of an earlier request: the till would drop it, and take the server for unreachable.
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    vary: "accept-encoding",
    ...more,
  };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const zlib = acceptsGzip && text.length >= GZIP_FROM_BYTES ? builtinModule<NodeZlib>("node:zlib") : undefined;
  if (zlib === undefined) return new Response(text, { status, headers });
  const packed = await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    zlib.gzip(text, { level: 1 }, (error, data) => (error === null ? resolve(data) : reject(error)));
  });
  return new Response(packed, { status, headers: { ...headers, "content-encoding": "gzip" } });
}
