/**
 * `createSyncHandler`: one function from a `Request` to a `Response`, for any server that speaks fetch.
 *
 * A request is checked in this order: path, method, protocol, token, body. One place turns failures into problems, so
 * every answer carries the protocol's headers, whatever happened. Without them, a till would take the answer for that
 * of a captive portal.
 *
 * The handler sends no CORS headers. For a browser app on another origin, the application adds them around the handler:
 * it allows its own origins and the headers `Tillsync-Protocol, Tillsync-Request-Id, Tillsync-Device, Authorization,
 * Content-Type, Content-Encoding`, and exposes `Tillsync-Protocol, Tillsync-Request-Id, Tillsync-Server-Time,
 * Retry-After`.
 */
import { HEADERS, PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { isId } from "../../protocol/values.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { problemOf, RequestProblem } from "../problems.ts";
import { principalOf } from "./authenticate.ts";
import { BodyBudget, type BodyShare } from "./body-budget.ts";
import { type Endpoint, endpoints, type Service } from "./endpoints.ts";
import { type AnswerContext, acceptsGzip, answer, answerProblem } from "./respond.ts";

/** @param live told of a device that was refused because it was revoked */
export function handlerOf(
  parts: ServerParts,
  service: Service,
  live: { endDevice(tenant: string, device: string): void },
): (request: Request) => Promise<Response> {
  const bodies = new BodyBudget();
  return async function handle(request) {
    const given = request.headers.get(HEADERS.requestId);
    const requestId = isId(given) ? given : parts.random.uuid();
    const context = (): AnswerContext => ({ requestId, now: parts.clock.now(), acceptsGzip: acceptsGzip(request) });
    let principal: Principal | undefined;
    let share: BodyShare | undefined;
    try {
      const { endpoint, parameters } = route(request);
      if (endpoint.isOpen === true) return await answer(context(), endpoint.answer({ parts, requestId }));
      checkHeaders(request, given);
      const receivedAt = parts.clock.now();
      principal = await principalOf(parts, request);
      share = bodies.share(principal.tenant);
      const call = { parts, service, request, requestId, receivedAt, principal, share, parameters };
      return await answer(context(), await endpoint.answer(call));
    } catch (error) {
      const problem = problemOf(error, requestId, parts.logger);
      const device = principal?.device ?? request.headers.get(HEADERS.device);
      if (problem.code === "device_revoked" && principal && device) live.endDevice(principal.tenant, device);
      return answerProblem(context(), problem);
    } finally {
      share?.done();
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

/** Routes by the last segments of the path, wherever the handler is mounted: `/sync/push`, `/api/v2/sync/push`. */
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
      // No id contains an escape: a segment that is not an id names nothing.
      if (!isId(segment)) return undefined;
      parameters.push(segment);
    } else if (part !== segment) return undefined;
  }
  return parameters;
}
