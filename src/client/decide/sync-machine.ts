/**
 * The sync state machine: values in, values out. The loop (sync/loop.ts) runs the effects, and reports their outcomes
 * as events.
 *
 *                 start           acquired             registered
 *     stopped ─────────► standby ──────────► registering ──────────► online ◄───────────┐
 *        ▲                  ▲                   │    ▲                 │ │ ▲             │
 *        │ stop             │ lost              │    │ reregister      │ │ └─ pushed,    │ neither lane
 *        └── (any)          └── (any leading)   │    └─────────────────┤ │    pulled,    │ is failing
 *                                               │ failed               │ │    wake, tick │
 *                                               ▼                      ▼ ▼               │
 *                                     offline (transport) ◄─ failed ─► action_needed ────┘
 *                                       │  ▲ tick: that lane            │  ▲ tick: that lane
 *                                       └──┘ backoff, full jitter       └──┘ every interval
 *
 *     pause(reason): any ──► paused ──► (all reasons resumed) registering | standby | stopped     close: any ──► closed
 *
 * Guarantees:
 * - Push and pull are separate lanes. Neither waits for the other, for its failure, or for the wait after that (L6).
 *   Each has at most one request in flight and, at rest, its own timer.
 * - No wake is lost: a lane that is running looks again afterwards, and a lane at rest has a timer.
 * - A person's `sync()` is a round of its own: a request that was in flight before is followed by another one, also if it
 *   fails.
 * - A transport failure never changes an operation. The request is retried after a wait, however often it fails (L6).
 * - Waits are capped. `Retry-After`, up to one hour, is a lower bound that only a person's `sync()` ignores.
 */

import { omit } from "../../shared/omit.ts";
import type { TransportFailure } from "../ports/transport.ts";
import type { ActionCause, OfflineCause } from "../types/status.ts";
import { type BackoffOptions, backoffMs } from "./backoff.ts";

/** How a request failed: on its way or at the server, or here, because the store failed or a decision threw. */
export type RequestFailure = TransportFailure | { readonly kind: "device_error" };

export type LaneName = "push" | "pull";

/**
 * A lane is at rest (`idle`), has a request in flight (`busy`), or has one in flight and must look again afterwards:
 * unless that request fails (`again`), or in any case, because a person has asked for a round (`asked`).
 */
export type LaneState = "idle" | "busy" | "again" | "asked";
export interface Lanes {
  readonly push: LaneState;
  readonly pull: LaneState;
}

/** How a lane's last request failed. Removed when a request of that lane succeeds. */
export interface LaneFailure {
  readonly response: FailureResponse;
  /**
   * How many requests failed in a row since the backoff last started anew; 0 for a failure that needs a person, unless
   * a hand-over failed.
   */
  readonly attempt: number;
}
export type LaneFailures = Readonly<Partial<Record<LaneName, LaneFailure>>>;

/** See the drawing at the top of this file. */
export type SyncState =
  | { readonly kind: "stopped" }
  /** Another client of this store has the turn to talk to the server. */
  | { readonly kind: "standby" }
  | {
      readonly kind: "registering";
      readonly attempt: number;
      /**
       * How the previous attempt failed, if it did. The status keeps showing that failure until this attempt succeeds.
       */
      readonly after?: FailureResponse | undefined;
      /** A person has asked for a round during this attempt: if it fails, another one follows at once. */
      readonly asked?: true | undefined;
    }
  | { readonly kind: "online"; readonly lanes: Lanes }
  /** At least one lane is failing, or the registration, for which both lanes wait. */
  | {
      readonly kind: "offline";
      readonly lanes: Lanes;
      readonly cause: OfflineCause;
      readonly failures: LaneFailures;
      readonly registered: boolean;
    }
  | {
      readonly kind: "action_needed";
      readonly lanes: Lanes;
      readonly cause: ActionCause;
      readonly failures: LaneFailures;
      readonly registered: boolean;
    }
  | {
      readonly kind: "paused";
      readonly reasons: readonly string[];
      readonly leading: boolean;
      /** The state after the last resume. A pause does not start a stopped client, and `stop` does not end a pause. */
      readonly back: "stopped" | "standby";
    }
  | { readonly kind: "closed" };

export type MachineEvent =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  | { readonly kind: "close" }
  | { readonly kind: "acquired" }
  /** Another client has taken the turn or the fence. */
  | { readonly kind: "lost" }
  | { readonly kind: "pause"; readonly reason: string }
  | { readonly kind: "resume"; readonly reason: string }
  | { readonly kind: "wake"; readonly why: "queued" | "poke" | "online" | "visible" | "manual" }
  /** The lane's timer has run out. */
  | { readonly kind: "tick"; readonly lane: LaneName }
  | { readonly kind: "registered" }
  /** The store has a new epoch or a new incarnation, and must register again. */
  | { readonly kind: "reregister" }
  | { readonly kind: "pushed"; readonly more: boolean }
  | { readonly kind: "pulled"; readonly more: boolean }
  | {
      readonly kind: "failed";
      readonly lane: LaneName | "register";
      readonly failure: RequestFailure;
      readonly handOver?: FailedHandOver | undefined;
    };

/** A revoked device could not send all that it still has. The next attempt is due as if its push lane had failed [H6]. */
export interface FailedHandOver {
  readonly failure: RequestFailure;
  /** Whether a push had succeeded since the attempt before: the backoff starts anew. */
  readonly afterSuccess: boolean;
}

export type MachineEffect =
  /** Starting a lane cancels its timer; `cancel_timers` cancels the timers of both lanes. */
  | { readonly kind: "acquire" | "release" | "register" | "push" | "pull" | "abort" | "cancel_timers" }
  | { readonly kind: "timer"; readonly lane: LaneName; readonly afterMs: number };

/** `intervalMs`: the longest wait of a lane at rest. */
export interface MachineOptions extends BackoffOptions {
  readonly intervalMs: number;
}
/** `unit`: a random number in [0, 1), drawn anew for each transition; it gives the waits their jitter. */
export interface MachineInput {
  readonly options: MachineOptions;
  readonly unit: number;
}
export interface Transition {
  readonly state: SyncState;
  readonly effects: readonly MachineEffect[];
}

/** Whether this client has the turn to talk to the server. */
export function isLeading(state: SyncState): boolean {
  if (state.kind === "paused") return state.leading;
  return state.kind !== "stopped" && state.kind !== "standby" && state.kind !== "closed";
}

const IDLE: Lanes = { push: "idle", pull: "idle" };
const BUSY: Lanes = { push: "busy", pull: "busy" };

/** The next state, and the effects to run. An event that has no meaning in a state changes nothing. */
export function transition(state: SyncState, event: MachineEvent, input: MachineInput): Transition {
  const stay: Transition = { state, effects: [] };
  if (state.kind === "closed") return stay;
  // These events mean the same in every state.
  switch (event.kind) {
    case "close":
      return {
        state: { kind: "closed" },
        effects: [{ kind: "abort" }, { kind: "cancel_timers" }, { kind: "release" }],
      };
    case "stop": {
      if (state.kind === "stopped" || (state.kind === "paused" && state.back === "stopped")) return stay;
      const effects: readonly MachineEffect[] = [{ kind: "abort" }, { kind: "cancel_timers" }, { kind: "release" }];
      if (state.kind !== "paused") return { state: { kind: "stopped" }, effects };
      return { state: { ...state, leading: false, back: "stopped" }, effects };
    }
    case "pause":
      return pause(state, event.reason);
    case "lost":
      return lost(state);
  }
  switch (state.kind) {
    case "stopped":
      return event.kind === "start" ? { state: { kind: "standby" }, effects: [{ kind: "acquire" }] } : stay;
    case "standby":
      return event.kind === "acquired" ? register(0) : stay;
    case "registering":
      if (event.kind === "registered")
        return { state: { kind: "online", lanes: BUSY }, effects: [{ kind: "push" }, { kind: "pull" }] };
      // The answer revealed another epoch, or that the store was rolled back. The store has adapted, and registers
      // again.
      if (event.kind === "reregister") return register(state.attempt);
      if (event.kind === "wake" && event.why === "manual") return { state: { ...state, asked: true }, effects: [] };
      if (event.kind === "failed" && event.lane === "register") {
        const { failure, afterMs } = failedRegistration(event, state.attempt, input);
        return state.asked
          ? register(failure.attempt, [], failure.response)
          : { state: contact(IDLE, { push: failure, pull: failure }, false), effects: [{ ...NEXT_ATTEMPT, afterMs }] };
      }
      return stay;
    case "online":
    case "offline":
    case "action_needed":
      return inContact(state, event, input);
    case "paused":
      return inPaused(state, event);
  }
}

type Contact = Extract<SyncState, { readonly lanes: Lanes }>;

function inContact(
  state: Contact,
  event: Exclude<MachineEvent, { kind: "close" | "stop" | "pause" | "lost" }>,
  input: MachineInput,
): Transition {
  const stay: Transition = { state, effects: [] };
  const failures = state.kind === "online" ? {} : state.failures;
  switch (event.kind) {
    case "reregister":
      return register(0, [{ kind: "abort" }, { kind: "cancel_timers" }]);
    case "tick":
      return state.lanes[event.lane] === "idle" ? begin(state, [event.lane], failures) : stay;
    case "wake": {
      const asked: readonly LaneName[] = event.why === "queued" ? ["push"] : ["push", "pull"];
      const lanes = asked.filter((lane) => state.lanes[lane] !== "idle" || mayBegin(failures[lane], event.why));
      // The backoff starts from its minimum again.
      const anew = Object.entries(failures).map(([lane, failure]) => [lane, { ...failure, attempt: 0 }]);
      return lanes.length === 0
        ? stay
        : begin(
            state,
            lanes,
            event.why === "queued" ? failures : Object.fromEntries(anew),
            event.why === "manual" ? "asked" : "again",
          );
    }
    case "pushed":
    case "pulled": {
      const lane: LaneName = event.kind === "pushed" ? "push" : "pull";
      const was = state.lanes[lane];
      if (was === "idle") return stay;
      const goesOn = event.more || was !== "busy";
      const next = contact({ ...state.lanes, [lane]: goesOn ? "busy" : "idle" }, omit(failures, lane));
      // At rest the push lane, like the pull lane, looks again after a while: no event wakes blocked operations [H2].
      return { state: next, effects: [goesOn ? { kind: lane } : { kind: "timer", lane, afterMs: poll(input) }] };
    }
    case "failed": {
      const { lane, failure } = event;
      if (lane === "register" || failure.kind === "aborted") return stay;
      const attempt = failures[lane]?.attempt ?? 0;
      const next = laneFailure(failure, attempt);
      const isAsked = state.lanes[lane] === "asked";
      return {
        state: contact({ ...state.lanes, [lane]: isAsked ? "busy" : "idle" }, { ...failures, [lane]: next }),
        effects: [isAsked ? { kind: lane } : { kind: "timer", lane, afterMs: wait(next.response, attempt, input) }],
      };
    }
    default:
      return stay;
  }
}

/** Whether a wake cuts a wait short. A new sale never does, and a hint or a poke does not cut a `Retry-After` short. */
function mayBegin(failure: LaneFailure | undefined, why: Extract<MachineEvent, { kind: "wake" }>["why"]): boolean {
  if (failure === undefined || why === "manual") return true;
  return why !== "queued" && !(failure.response.kind === "offline" && failure.response.floorMs > 0);
}

function inPaused(state: Extract<SyncState, { kind: "paused" }>, event: MachineEvent): Transition {
  if (event.kind === "acquired") return { state: { ...state, leading: true }, effects: [] };
  if (event.kind === "start" && state.back === "stopped") return { state: { ...state, back: "standby" }, effects: [] };
  if (event.kind !== "resume") return { state, effects: [] };
  const reasons = state.reasons.filter((reason) => reason !== event.reason);
  if (reasons.length === state.reasons.length) return { state, effects: [] };
  if (reasons.length > 0) return { state: { ...state, reasons }, effects: [] };
  if (state.back === "stopped") return { state: { kind: "stopped" }, effects: [] };
  return state.leading ? register(0) : { state: { kind: "standby" }, effects: [{ kind: "acquire" }] };
}

function pause(state: Exclude<SyncState, { kind: "closed" }>, reason: string): Transition {
  if (state.kind === "paused") {
    return {
      state: state.reasons.includes(reason) ? state : { ...state, reasons: [...state.reasons, reason] },
      effects: [],
    };
  }
  return {
    state: {
      kind: "paused",
      reasons: [reason],
      leading: isLeading(state),
      back: state.kind === "stopped" ? "stopped" : "standby",
    },
    effects: [{ kind: "abort" }, { kind: "cancel_timers" }],
  };
}

function lost(state: Exclude<SyncState, { kind: "closed" }>): Transition {
  if (state.kind === "stopped" || state.kind === "standby" || (state.kind === "paused" && state.back === "stopped"))
    return { state, effects: [] };
  const effects: readonly MachineEffect[] = [
    { kind: "abort" },
    { kind: "cancel_timers" },
    { kind: "release" },
    { kind: "acquire" },
  ];
  return state.kind === "paused"
    ? { state: { ...state, leading: false }, effects }
    : { state: { kind: "standby" }, effects };
}

function register(attempt: number, before: readonly MachineEffect[] = [], after?: FailureResponse): Transition {
  return {
    state: { kind: "registering", attempt, ...(after && { after }) },
    effects: [...before, { kind: "register" }],
  };
}

/**
 * Starts these lanes if they rest, and makes them look again if they run. A store that is not registered yet registers
 * first.
 */
function begin(
  state: Contact,
  lanes: readonly LaneName[],
  failures: LaneFailures,
  afterwards: "again" | "asked" = "again",
): Transition {
  if (state.kind !== "online" && !state.registered)
    return register(failures.push?.attempt ?? 0, [{ kind: "cancel_timers" }], failures.push?.response);
  const next: Record<LaneName, LaneState> = { ...state.lanes };
  const effects: MachineEffect[] = [];
  for (const lane of lanes) {
    if (next[lane] === "idle") effects.push({ kind: lane });
    if (next[lane] !== "asked") next[lane] = next[lane] === "idle" ? "busy" : afterwards;
  }
  return { state: contact(next, failures), effects };
}

/** If both lanes fail, the failure that needs a person is shown. */
function contact(lanes: Lanes, failures: LaneFailures, registered = true): SyncState {
  const found = Object.values(failures).map(({ response }) => response);
  const response = found.find(({ kind }) => kind === "action_needed") ?? found[0];
  if (response === undefined) return { kind: "online", lanes };
  return response.kind === "action_needed"
    ? { kind: "action_needed", cause: response.cause, lanes, failures, registered }
    : { kind: "offline", cause: response.cause, lanes, failures, registered };
}

/** Both lanes wait for the registration, so one timer is enough. */
const NEXT_ATTEMPT = { kind: "timer", lane: "push" } as const;

/** Shows why the registration failed. If a revoked device could not hand over, the hand-over decides when to try again. */
function failedRegistration(
  { failure, handOver }: Extract<MachineEvent, { readonly kind: "failed" }>,
  attempt: number,
  input: MachineInput,
): { readonly failure: LaneFailure; readonly afterMs: number } {
  const shown = laneFailure(failure, attempt);
  if (handOver === undefined) return { failure: shown, afterMs: wait(shown.response, attempt, input) };
  const from = handOver.afterSuccess ? 0 : attempt;
  const paced = laneFailure(handOver.failure, from);
  return { failure: { ...shown, attempt: paced.attempt }, afterMs: wait(paced.response, from, input) };
}

function wait(response: FailureResponse, attempt: number, input: MachineInput): number {
  return response.kind === "action_needed"
    ? poll(input)
    : backoffMs(attempt, response.floorMs, input.unit, input.options);
}

/** With jitter, because tills that were switched on together must not poll together. */
function poll({ options, unit }: MachineInput): number {
  return Math.round(options.intervalMs * (0.8 + 0.2 * unit));
}

/** What a failure leads to: a wait, or a person's attention. It never leads to anything else. */
type FailureResponse =
  | { readonly kind: "offline"; readonly cause: OfflineCause; readonly floorMs: number }
  | { readonly kind: "action_needed"; readonly cause: ActionCause };

function laneFailure(failure: RequestFailure, attempt: number): LaneFailure {
  const response = responseTo(failure);
  return { response, attempt: response.kind === "action_needed" ? 0 : attempt + 1 };
}

export function responseTo(failure: RequestFailure): FailureResponse {
  switch (failure.kind) {
    case "unauthorised":
      return { kind: "action_needed", cause: "auth_required" };
    case "throttled":
    case "server_error":
      return { kind: "offline", cause: failure.kind, floorMs: failure.retryAfterMs ?? 0 };
    case "refused":
      return responseToCode(failure.code);
    case "device_error":
      return { kind: "offline", cause: "device_error", floorMs: 0 };
    case "unreachable":
    case "aborted":
      return { kind: "offline", cause: "unreachable", floorMs: 0 };
  }
}

function responseToCode(code: Extract<TransportFailure, { kind: "refused" }>["code"]): FailureResponse {
  switch (code) {
    case "unauthenticated":
    case "forbidden":
    case "device_mismatch":
      return { kind: "action_needed", cause: "auth_required" };
    case "device_revoked":
    case "wrong_workspace":
    case "protocol_unsupported":
      return { kind: "action_needed", cause: code };
    default:
      return { kind: "offline", cause: "server_error", floorMs: 0 };
  }
}
