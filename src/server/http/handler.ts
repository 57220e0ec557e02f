/**
 * `createSyncHandler`: one function from a `Request` to a `Response`, for any server that speaks fetch.
 *
 * The order of a request: path, method, protocol, token, body. One place turns failures into problems, so that each answer,
 * whatever happened, carries the protocol's headers: without them a till takes it for a captive portal's.
 *
 * No CORS by default: a browser app on another origin has it put around by the application, with its own origins and
 * `Tillsync-Protocol, Tillsync-Request-Id, Tillsync-Device, Authorization, Content-Type, Content-Encoding` allowed and
 * `Tillsync-Protocol, Tillsync-Request-Id, Tillsync-Server-Time, Retry-After` exposed.
 */
import { HEADERS, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { isId } from "../../protocol/values.ts";
import type { ServerParts } from "../options.ts";
import { problemOf, RequestProblem } from "../problems.ts";
import { principalOf } from "./authenticate.ts";
import { type Endpoint, endpoints, type Service } from "./endpoints.ts";
import { type AnswerContext, acceptsGzip, answer, answerProblem } from "./respond.ts";

export function handlerOf(parts: ServerParts, service: Service): (request: Request) => Promise<Response> {
  return async function handle(request) {
    const given = request.headers.get(HEADERS.requestId);
    const requestId = isId(given) ? given : parts.random.uuid();
    const context = (): AnswerContext => ({ requestId, now: parts.clock.now(), acceptsGzip: acceptsGzip(request) });
    try {
      const { endpoint, parameters } = route(request);
      if (endpoint.isOpen === true) return await answer(context(), endpoint.answer({ parts, requestId }));
      checkHeaders(request, given);
      const receivedAt = parts.clock.now();
      const principal = await principalOf(parts, request);
      const call = { parts, service, request, requestId, receivedAt, principal, parameters };
      return await answer(context(), await endpoint.answer(call));
    } catch (error) {
      return answerProblem(context(), problemOf(error, requestId, parts.logger));
    }
  };
}

function checkHeaders(request: Request, requestId: string | null): void {
  const version = request.headers.get(HEADERS.protocol);
  if (version !== String(PROTOCOL_VERSION)) {
    throw new RequestProblem("protocol_unsupported", `Expected the header ${HEADERS.protocol}: ${PROTOCOL_VERSION}`);
  }
  if (!isId(requestId)) throw new RequestProblem("malformed", `Expected a UUID in the header ${HEADERS.requestId}`);
}

interface Match {
  readonly endpoint: Endpoint;
  /** The values of `*` in the path. */
  readonly parameters: readonly string[];
}

/** By the last segments of the path, wherever the handler is mounted: `/sync/push`, `/api/v2/sync/push`. */
function route(request: Request): Match {
  const segments = new URL(request.url).pathname.split("/").filter((segment) => segment !== "");
  const matches = endpoints.flatMap((endpoint) => {
    const parameters = matched(endpoint.path, segments);
    return parameters === undefined ? [] : [{ endpoint, parameters }];
  });
  const match = matches.find(({ endpoint }) => endpoint.method === request.method);
  if (match !== undefined) return match;
  if (matches.length === 0) throw new RequestProblem("not_found", "There is no such endpoint");
  const allow = [...new Set(matches.map(({ endpoint }) => endpoint.method))].join(", ");
  throw new RequestProblem("method_not_allowed", `Allowed: ${allow}`, { headers: { allow } });
}

function matched(path: readonly string[], segments: readonly string[]): readonly string[] | undefined {
  const tail = segments.slice(-path.length);
  if (tail.length < path.length) return undefined;
  const parameters: string[] = [];
  for (const [index, part] of path.entries()) {
    const segment = tail[index] ?? "";
    if (part === "*") {
      // No id has an escape in it: what does not read as one names nothing.
      if (!isId(segment)) return undefined;
      parameters.push(segment);
    } else if (part !== segment) return undefined;
  }
  return parameters;
}
