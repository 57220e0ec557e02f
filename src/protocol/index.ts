/**
 * The messages of the wire as types, their parsers, and the protocol's codes and limits: for writing the other end of
 * it. docs/protocol.md describes the protocol.
 *
 * @module tillsync/protocol
 */
export type { CounterValue } from "../shared/counter-step.ts";
export {
  type OperationErrorCode,
  type OperationFlagCode,
  PROBLEM_STATUS,
  type Problem,
  type ProblemCode,
  problemType,
} from "./codes.ts";
export {
  BLOCKED_RETRY_MS,
  CONTENT_TYPE,
  HEADERS,
  JOURNAL_WINDOW_MS,
  LIMITS,
  LIVE_SUBPROTOCOL,
  LIVE_TOKEN_PREFIX,
  type Limits,
  MESSAGE_DEPTH,
  PROBLEM_CONTENT_TYPE,
  PROTOCOL_VERSION,
} from "./constants.ts";
export {
  parseConflictsResponse,
  parseDeskQuery,
  parseDiscardQuarantinedRequest,
  parseQuarantineResponse,
  parseResolveConflictRequest,
  parseRevisedResponse,
} from "./desks.ts";
export { parseOperation } from "./operation.ts";
export type { Parsed } from "./parse.ts";
export { payloadOf } from "./payload.ts";
export { parsePullRequest, parsePullResponse } from "./pull.ts";
export { parsePushFrame, parsePushResponse } from "./push.ts";
export { parseRegisterRequest, parseRegisterResponse } from "./register.ts";
export { parseFinalResult, parseResult } from "./results.ts";
export { parseHealthResponse, parsePoke, parseProblem, parseTimeResponse } from "./server-messages.ts";
export type {
  Acknowledged,
  Action,
  AppliedResult,
  BlockedResult,
  Change,
  ConflictResult,
  ConflictsResponse,
  CreateOperation,
  DeleteOperation,
  DeskQuery,
  DeviceRef,
  DiscardQuarantinedRequest,
  FinalResult,
  Flag,
  HealthResponse,
  IncrementOperation,
  Marks,
  OperationResult,
  Poke,
  PullPage,
  PullRequest,
  PullResponse,
  PushFrame,
  PushRequest,
  PushResponse,
  QuarantinedOperation,
  QuarantinedResult,
  QuarantineResponse,
  RegisterRequest,
  RegisterResponse,
  RejectedResult,
  ResolveConflictRequest,
  RetryResult,
  RevisedResponse,
  RowState,
  ServerConflict,
  TimeResponse,
  UnknownOperation,
  UpdateOperation,
  Verdict,
  VerdictIssue,
  VoidOperation,
  WaitingCode,
  WireOperation,
} from "./types.ts";
