/** The endpoints: each turns a request into the body of its answer. */
import { PROTOCOL_VERSION } from "../../protocol/constants.ts";
import { parseDeskQuery, parseDiscardQuarantinedRequest, parseResolveConflictRequest } from "../../protocol/desks.ts";
import type { Parsed } from "../../protocol/parse.ts";
import { parsePullRequest } from "../../protocol/pull.ts";
import { parsePushFrame } from "../../protocol/push.ts";
import { parseRegisterRequest } from "../../protocol/register.ts";
import type { DeskQuery, HealthResponse, TimeResponse } from "../../protocol/types.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { malformed, RequestProblem } from "../problems.ts";
import type { DeskCaller, DeviceCaller } from "../service/caller.ts";
import type { DeskService } from "../service/desk-service.ts";
import type { SyncService } from "../service/sync-service.ts";
import { deviceOf } from "./authenticate.ts";
import { type Body, readBody } from "./body.ts";
import type { BodyShare } from "./body-budget.ts";
import type { AnswerBody } from "./respond.ts";

export interface Service {
  readonly sync: SyncService;
  readonly desks: DeskService;
}

/** A request that needs no token. */
export interface OpenCall {
  readonly parts: ServerParts;
  readonly requestId: string;
}

/** An authenticated request. */
export interface Call extends OpenCall {
  readonly service: Service;
  readonly request: Request;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly principal: Principal;
  /** Of the memory for bodies. */
  readonly share: BodyShare;
  /** The ids in the path. */
  readonly parameters: readonly string[];
}

interface Route {
  readonly method: "GET" | "POST";
  /** The last segments; `*` is an id. */
  readonly path: readonly string[];
}
export type Endpoint =
  | (Route & { readonly isOpen: true; readonly answer: (call: OpenCall) => object })
  | (Route & { readonly isOpen?: undefined; readonly answer: (call: Call) => Promise<AnswerBody> });

export const endpoints: readonly Endpoint[] = [
  { method: "GET", path: ["health"], isOpen: true, answer: health },
  { method: "GET", path: ["time"], isOpen: true, answer: time },
  { method: "POST", path: ["register"], answer: register },
  { method: "POST", path: ["push"], answer: push },
  { method: "POST", path: ["pull"], answer: pull },
  { method: "GET", path: ["live"], answer: noSocket },
  { method: "GET", path: ["conflicts"], answer: conflicts },
  { method: "POST", path: ["conflicts", "*", "resolve"], answer: resolve },
  { method: "GET", path: ["quarantine"], answer: quarantine },
  { method: "POST", path: ["quarantine", "*", "release"], answer: release },
  { method: "POST", path: ["quarantine", "*", "discard"], answer: discard },
];

function health({ parts }: OpenCall): HealthResponse {
  return { status: "ok", protocol: [PROTOCOL_VERSION], serverTime: rfc3339(parts.clock.now()), limits: parts.limits };
}

function time({ parts }: OpenCall): TimeResponse {
  return { serverTime: rfc3339(parts.clock.now()) };
}

async function register(call: Call): Promise<object> {
  const request = accepted(parseRegisterRequest((await body(call)).value));
  return call.service.sync.register(deviceCallerOf(call, request.device.id), request);
}

async function push(call: Call): Promise<object> {
  const sent = await body(call);
  const frame = accepted(parsePushFrame(sent.value));
  return call.service.sync.push(deviceCallerOf(call, frame.device.id), frame, sent);
}

async function pull(call: Call): Promise<AnswerBody> {
  const request = accepted(parsePullRequest((await body(call)).value));
  return call.service.sync.pull(deviceCallerOf(call, request.device.id), request);
}

/** A fetch handler can't upgrade a request to a WebSocket: `tillsync/server/hono` and `createSyncServer().live` can. */
async function noSocket(): Promise<never> {
  throw new RequestProblem(
    "not_found",
    "There is no live channel here without an upgrade to a WebSocket; tills can poll",
  );
}

async function conflicts(call: Call): Promise<object> {
  return call.service.desks.conflicts(callerOf(call), query(call));
}

async function resolve(call: Call): Promise<object> {
  const request = accepted(parseResolveConflictRequest((await body(call)).value));
  return call.service.desks.resolve(callerOf(call), call.parameters[0] ?? "", request);
}

async function quarantine(call: Call): Promise<object> {
  return call.service.desks.quarantine(callerOf(call), query(call));
}

async function release(call: Call): Promise<object> {
  return call.service.desks.release(callerOf(call), call.parameters[0] ?? "");
}

async function discard(call: Call): Promise<object> {
  const { reason } = accepted(parseDiscardQuarantinedRequest((await body(call)).value));
  return call.service.desks.discard(callerOf(call), call.parameters[0] ?? "", reason);
}

function body({ request, parts, share }: Call): Promise<Body> {
  const { pushBytes, pushInflatedBytes } = parts.limits;
  return readBody(request, { maxCompressedBytes: pushBytes, maxBytes: pushInflatedBytes }, share);
}

function query({ request }: Call): DeskQuery {
  return accepted(parseDeskQuery(Object.fromEntries(new URL(request.url).searchParams)));
}

function callerOf({ principal, request, requestId, receivedAt }: Call): DeskCaller {
  return { principal, device: () => deviceOf(principal, request), requestId, receivedAt };
}

function deviceCallerOf({ principal, request, requestId, receivedAt }: Call, inBody: string): DeviceCaller {
  return { principal, device: deviceOf(principal, request, inBody) ?? inBody, requestId, receivedAt };
}

function accepted<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw malformed(parsed.issues);
  return parsed.value;
}
