/**
 * The sync machine, cell by cell. The table is total: a new state or event does not compile until the table says what
 * it means in every cell. After it come scenarios, and what must hold after any sequence of events.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../../src/client/decide/status.ts";
import {
  type FailedHandOver,
  isLeading,
  type LaneFailure,
  type LaneFailures,
  type LaneName,
  type LaneState,
  type Lanes,
  type MachineEffect,
  type MachineEvent,
  type RequestFailure,
  type SyncState,
  transition,
} from "../../../src/client/decide/sync-machine.ts";
import type { TransportFailure } from "../../../src/client/ports/transport.ts";
import { EMPTY_QUEUE } from "../../../src/client/state/meta.ts";

/**
 * With `unit` in the middle, every wait is a round number: a poll is 27 s, the first backoff 500 ms, and it doubles.
 */
const input = { options: { intervalMs: 30_000, minMs: 1_000, maxMs: 60_000 }, unit: 0.5 };
const POLL = "timer pull 27000";
const LOOK = "timer push 27000";

// ── States, by what they look like ──
const lanes = (push: LaneState, pull: LaneState) => ({ push, pull });
const stopped: SyncState = { kind: "stopped" };
const standby: SyncState = { kind: "standby" };
const closed: SyncState = { kind: "closed" };
const registering = (attempt = 0, after?: LaneFailure): SyncState => ({
  kind: "registering",
  attempt,
  ...(after && { after: after.response }),
});
/** A person has asked for a round while it registers. */
const registeringAsked = (attempt = 0): SyncState => ({ kind: "registering", attempt, asked: true });
const online = (push: LaneState, pull: LaneState): SyncState => ({ kind: "online", lanes: lanes(push, pull) });
const paused = (leading: boolean, ...reasons: string[]): SyncState => ({
  kind: "paused",
  reasons,
  leading,
  back: "standby",
});
/** Paused while stopped, so there is nothing to resume. */
const pausedAtRest = (...reasons: string[]): SyncState => ({
  kind: "paused",
  reasons,
  leading: false,
  back: "stopped",
});
const RESTING = lanes("idle", "idle");
/** A lane that failed `attempt` times in a row. */
const down = (attempt = 1, floorMs = 0, cause: "unreachable" | "throttled" = "unreachable"): LaneFailure => ({
  response: { kind: "offline", cause, floorMs },
  attempt,
});
/** A lane whose failure needs a person. */
const refusedAs = (cause: "auth_required" | "device_revoked" = "auth_required"): LaneFailure => ({
  response: { kind: "action_needed", cause },
  attempt: 0,
});
function failing<K extends "offline" | "action_needed">(kind: K, failures: LaneFailures, at: Lanes) {
  const shown = Object.values(failures).find(({ response }) => response.kind === kind);
  return { kind, cause: shown?.response.cause, lanes: at, failures, registered: true } as SyncState & { kind: K };
}
const offline = (failures: LaneFailures = { push: down() }, at = RESTING) => failing("offline", failures, at);
const actionNeeded = (failures: LaneFailures = { pull: refusedAs() }, at = RESTING) =>
  failing("action_needed", failures, at);
/** The registration failed, so both lanes wait for it. */
const unregistered = (failure: LaneFailure): SyncState => ({
  ...failing(failure.response.kind, { push: failure, pull: failure }, RESTING),
  registered: false,
});

// ── Events ──
const unreachable: TransportFailure = { kind: "unreachable", reason: "network" };
const signedOut: TransportFailure = { kind: "unauthorised", reason: "no_token" };
const aborted: TransportFailure = { kind: "aborted" };
const throttled = (retryAfterMs?: number): TransportFailure => ({ kind: "throttled", retryAfterMs });
const refused = (code: Extract<TransportFailure, { kind: "refused" }>["code"]): TransportFailure => ({
  kind: "refused",
  code,
  status: 403,
  detail: "",
});
const wake = (why: Extract<MachineEvent, { kind: "wake" }>["why"]): MachineEvent => ({ kind: "wake", why });
const pause = (reason: string): MachineEvent => ({ kind: "pause", reason });
const resume = (reason: string): MachineEvent => ({ kind: "resume", reason });
const pushed = (more = false): MachineEvent => ({ kind: "pushed", more });
const pulled = (more = false): MachineEvent => ({ kind: "pulled", more });
const failed = (lane: "push" | "pull" | "register", failure: RequestFailure = unreachable): MachineEvent => ({
  kind: "failed",
  lane,
  failure,
});
/** A revoked device could not send all that it still has. */
const handOverFailed = (handOver: Partial<FailedHandOver> = {}): MachineEvent => ({
  kind: "failed",
  lane: "register",
  failure: refused("device_revoked"),
  handOver: { failure: unreachable, afterSuccess: false, ...handOver },
});
const tick = (lane: LaneName): MachineEvent => ({ kind: "tick", lane });
const bare = (kind: "start" | "stop" | "close" | "acquired" | "lost" | "registered" | "reregister"): MachineEvent => ({
  kind,
});

const shown = (effect: MachineEffect) =>
  effect.kind === "timer" ? `timer ${effect.lane} ${effect.afterMs}` : effect.kind;
function step(state: SyncState, event: MachineEvent): readonly [SyncState, readonly string[]] {
  const next = transition(state, event, input);
  return [next.state, next.effects.map(shown)];
}

// ── The table ──
interface Case {
  readonly when?: string;
  readonly from: SyncState;
  readonly event: MachineEvent;
  readonly to: SyncState;
  readonly effects: readonly string[];
}
const goes = (from: SyncState, event: MachineEvent, to: SyncState, ...effects: string[]): Case => ({
  from,
  event,
  to,
  effects,
});
const stays = (from: SyncState, event: MachineEvent): Case => ({ from, event, to: from, effects: [] });
const when = (text: string, it: Case): Case => ({ ...it, when: text });

const END = ["abort", "cancel_timers", "release"];
const HOLD = ["abort", "cancel_timers"];
const GIVE_WAY = ["abort", "cancel_timers", "release", "acquire"];
const ROUND = ["push", "pull"];

const TABLE: Record<SyncState["kind"], Record<MachineEvent["kind"], readonly Case[]>> = {
  stopped: {
    start: [goes(stopped, bare("start"), standby, "acquire")],
    stop: [stays(stopped, bare("stop"))],
    close: [goes(stopped, bare("close"), closed, ...END)],
    acquired: [stays(stopped, bare("acquired"))],
    lost: [stays(stopped, bare("lost"))],
    pause: [goes(stopped, pause("night"), pausedAtRest("night"), ...HOLD)],
    resume: [stays(stopped, resume("night"))],
    wake: [stays(stopped, wake("manual"))],
    tick: [stays(stopped, tick("pull"))],
    registered: [stays(stopped, bare("registered"))],
    reregister: [stays(stopped, bare("reregister"))],
    pushed: [stays(stopped, pushed(true))],
    pulled: [stays(stopped, pulled(true))],
    failed: [stays(stopped, failed("push"))],
  },
  standby: {
    start: [stays(standby, bare("start"))],
    stop: [goes(standby, bare("stop"), stopped, ...END)],
    close: [goes(standby, bare("close"), closed, ...END)],
    acquired: [goes(standby, bare("acquired"), registering(), "register")],
    lost: [stays(standby, bare("lost"))],
    pause: [goes(standby, pause("night"), paused(false, "night"), ...HOLD)],
    resume: [stays(standby, resume("night"))],
    wake: [stays(standby, wake("manual"))],
    tick: [stays(standby, tick("pull"))],
    registered: [stays(standby, bare("registered"))],
    reregister: [stays(standby, bare("reregister"))],
    pushed: [stays(standby, pushed(true))],
    pulled: [stays(standby, pulled(true))],
    failed: [stays(standby, failed("register"))],
  },
  registering: {
    start: [stays(registering(), bare("start"))],
    stop: [goes(registering(), bare("stop"), stopped, ...END)],
    close: [goes(registering(), bare("close"), closed, ...END)],
    acquired: [stays(registering(), bare("acquired"))],
    lost: [goes(registering(), bare("lost"), standby, ...GIVE_WAY)],
    pause: [goes(registering(), pause("night"), paused(true, "night"), ...HOLD)],
    resume: [stays(registering(), resume("night"))],
    wake: [
      stays(registering(), wake("online")),
      when("a person asks for a round", goes(registering(), wake("manual"), registeringAsked())),
    ],
    tick: [stays(registering(), tick("pull"))],
    registered: [goes(registering(), bare("registered"), online("busy", "busy"), ...ROUND)],
    reregister: [
      when(
        "the answer named another epoch, or the store was found rolled back: it asks again as what it is now",
        goes(registering(), bare("reregister"), registering(), "register"),
      ),
    ],
    pushed: [stays(registering(), pushed(true))],
    pulled: [stays(registering(), pulled(true))],
    failed: [
      when(
        "a person asked meanwhile: it registers again at once",
        goes(registeringAsked(2), failed("register"), registering(3, down(3)), "register"),
      ),
      when(
        "there is no way through",
        goes(registering(2), failed("register"), unregistered(down(3)), "timer push 2000"),
      ),
      when(
        "the server asks for a wait",
        goes(
          registering(),
          failed("register", throttled(9_000)),
          unregistered(down(1, 9_000, "throttled")),
          "timer push 9500",
        ),
      ),
      when("a person is needed", goes(registering(), failed("register", signedOut), unregistered(refusedAs()), LOOK)),
      when(
        "[H6] a revoked device could not hand over: it waits as a push lane that failed does",
        goes(
          registering(2),
          handOverFailed(),
          unregistered({ ...refusedAs("device_revoked"), attempt: 3 }),
          "timer push 2000",
        ),
      ),
      when(
        "a revoked device could hand over a part: the backoff starts anew",
        goes(
          registering(5),
          handOverFailed({ afterSuccess: true }),
          unregistered({ ...refusedAs("device_revoked"), attempt: 1 }),
          "timer push 500",
        ),
      ),
      when(
        "a revoked device is throttled while it hands over",
        goes(
          registering(),
          handOverFailed({ failure: throttled(120_000) }),
          unregistered({ ...refusedAs("device_revoked"), attempt: 1 }),
          "timer push 120500",
        ),
      ),
      when("it is a late report of another lane", stays(registering(), failed("push"))),
    ],
  },
  online: {
    start: [stays(online("idle", "idle"), bare("start"))],
    stop: [goes(online("busy", "idle"), bare("stop"), stopped, ...END)],
    close: [goes(online("busy", "idle"), bare("close"), closed, ...END)],
    acquired: [stays(online("idle", "idle"), bare("acquired"))],
    lost: [goes(online("busy", "busy"), bare("lost"), standby, ...GIVE_WAY)],
    pause: [goes(online("busy", "busy"), pause("night"), paused(true, "night"), ...HOLD)],
    resume: [stays(online("idle", "idle"), resume("night"))],
    wake: [
      when(
        "something was queued: only push starts, and the poll goes on waiting",
        goes(online("idle", "idle"), wake("queued"), online("busy", "idle"), "push"),
      ),
      when(
        "something was queued during a push: it looks again afterwards",
        goes(online("busy", "idle"), wake("queued"), online("again", "idle")),
      ),
      when(
        "the server has something, or a person response: both lanes start",
        goes(online("idle", "idle"), wake("manual"), online("busy", "busy"), ...ROUND),
      ),
      when(
        "a lane that rests starts, one that runs looks again",
        goes(online("busy", "idle"), wake("poke"), online("again", "busy"), "pull"),
      ),
      when("both run already", goes(online("busy", "again"), wake("visible"), online("again", "again"))),
      when(
        "a person asks while they run: each looks again, whatever becomes of its request",
        goes(online("busy", "again"), wake("manual"), online("asked", "asked")),
      ),
      when(
        "something is queued after a person has asked",
        goes(online("asked", "idle"), wake("queued"), online("asked", "idle")),
      ),
    ],
    tick: [
      goes(online("idle", "idle"), tick("pull"), online("idle", "busy"), "pull"),
      when("a push is still running", goes(online("busy", "idle"), tick("pull"), online("busy", "busy"), "pull")),
      when("it has begun already", stays(online("idle", "busy"), tick("pull"))),
    ],
    registered: [stays(online("idle", "idle"), bare("registered"))],
    reregister: [goes(online("busy", "busy"), bare("reregister"), registering(), "abort", "cancel_timers", "register")],
    pushed: [
      when("the outbox is empty", goes(online("busy", "idle"), pushed(), online("idle", "idle"), LOOK)),
      when("a person asked meanwhile", goes(online("asked", "idle"), pushed(), online("busy", "idle"), "push")),
      when("there is more", goes(online("busy", "idle"), pushed(true), online("busy", "idle"), "push")),
      when("something came meanwhile", goes(online("again", "idle"), pushed(), online("busy", "idle"), "push")),
      when("it was called off before", stays(online("idle", "idle"), pushed(true))),
    ],
    pulled: [
      when("all is here", goes(online("idle", "busy"), pulled(), online("idle", "idle"), POLL)),
      when("there are more pages", goes(online("idle", "busy"), pulled(true), online("idle", "busy"), "pull")),
      when("it was poked meanwhile", goes(online("busy", "again"), pulled(), online("busy", "busy"), "pull")),
    ],
    failed: [
      when(
        "a person asked meanwhile: it is sent again at once",
        goes(online("asked", "idle"), failed("push"), offline({ push: down(1) }, lanes("busy", "idle")), "push"),
      ),
      when(
        "the other lane runs, and goes on running: this one waits for itself alone",
        goes(
          online("busy", "busy"),
          failed("push"),
          offline({ push: down() }, lanes("idle", "busy")),
          "timer push 500",
        ),
      ),
      when("nothing else runs", goes(online("busy", "idle"), failed("push"), offline(), "timer push 500")),
      when("a person is needed", goes(online("idle", "busy"), failed("pull", signedOut), actionNeeded(), POLL)),
      when("it was called off", stays(online("busy", "idle"), failed("push", aborted))),
      when("it is a late report of the registration", stays(online("idle", "idle"), failed("register"))),
    ],
  },
  offline: {
    start: [stays(offline(), bare("start"))],
    stop: [goes(offline(), bare("stop"), stopped, ...END)],
    close: [goes(offline(), bare("close"), closed, ...END)],
    acquired: [stays(offline(), bare("acquired"))],
    lost: [goes(offline(), bare("lost"), standby, ...GIVE_WAY)],
    pause: [goes(offline(), pause("night"), paused(true, "night"), ...HOLD)],
    resume: [stays(offline(), resume("night"))],
    wake: [
      when("a sale is no reason to step over the wait of push", stays(offline(), wake("queued"))),
      when(
        "a sale does not wait for the failure of pull",
        goes(offline({ pull: down(4) }), wake("queued"), offline({ pull: down(4) }, lanes("busy", "idle")), "push"),
      ),
      when(
        "a sale during the attempt of push: it looks again, and the backoff goes on growing",
        goes(
          offline({ push: down(4) }, lanes("busy", "idle")),
          wake("queued"),
          offline({ push: down(4) }, lanes("again", "idle")),
        ),
      ),
      when(
        "the network is said to be back: the backoff starts anew",
        goes(
          offline({ push: down(6), pull: down(5) }),
          wake("online"),
          offline({ push: down(0), pull: down(0) }, lanes("busy", "busy")),
          ...ROUND,
        ),
      ),
      ...(["online", "visible", "poke"] as const).flatMap((why) => [
        when(
          `a hint (${why}) does not step over Retry-After`,
          stays(offline({ push: down(1, 5_000), pull: down(1, 5_000) }), wake(why)),
        ),
        when(
          `nor does the other lane wait for it (${why})`,
          goes(
            offline({ push: down(0, 5_000) }),
            wake(why),
            offline({ push: down(0, 5_000) }, lanes("idle", "busy")),
            "pull",
          ),
        ),
      ]),
      when(
        "a person does",
        goes(
          offline({ push: down(3, 5_000) }),
          wake("manual"),
          offline({ push: down(0, 5_000) }, lanes("busy", "busy")),
          ...ROUND,
        ),
      ),
      when(
        "a store that was never introduced does that first",
        goes(unregistered(down(4)), wake("online"), registering(0, down()), "cancel_timers", "register"),
      ),
      when("a sale does not introduce it", stays(unregistered(down(4)), wake("queued"))),
      when(
        "a lane that runs looks again, one that rests starts",
        goes(
          offline({ push: down(0) }, lanes("idle", "busy")),
          wake("manual"),
          offline({ push: down(0) }, lanes("busy", "asked")),
          "push",
        ),
      ),
    ],
    tick: [
      goes(offline({ push: down(3) }), tick("push"), offline({ push: down(3) }, lanes("busy", "idle")), "push"),
      when(
        "of the other lane, which works",
        goes(offline({ push: down(3) }), tick("pull"), offline({ push: down(3) }, lanes("idle", "busy")), "pull"),
      ),
      when(
        "the store is not introduced: the backoff goes on growing",
        goes(unregistered(down(3)), tick("push"), registering(3, down()), "cancel_timers", "register"),
      ),
      when("it has begun already", stays(offline({ push: down() }, lanes("busy", "idle")), tick("push"))),
    ],
    registered: [stays(offline(), bare("registered"))],
    reregister: [
      goes(
        offline({ push: down() }, lanes("busy", "busy")),
        bare("reregister"),
        registering(),
        "abort",
        "cancel_timers",
        "register",
      ),
    ],
    pushed: [
      when(
        "it works again, and the other lane was never in failure",
        goes(offline({ push: down(2) }, lanes("busy", "idle")), pushed(), online("idle", "idle"), LOOK),
      ),
      when(
        "it works again, and there is more to send",
        goes(offline({ push: down(2) }, lanes("busy", "idle")), pushed(true), online("busy", "idle"), "push"),
      ),
      when(
        "something came meanwhile",
        goes(
          offline({ pull: down() }, lanes("again", "idle")),
          pushed(),
          offline({ pull: down() }, lanes("busy", "idle")),
          "push",
        ),
      ),
      when(
        "the other lane is in failure still",
        goes(
          offline({ push: down(2), pull: down(3) }, lanes("busy", "idle")),
          pushed(),
          offline({ pull: down(3) }),
          LOOK,
        ),
      ),
      when("it was called off before", stays(offline(), pushed(true))),
    ],
    pulled: [
      when(
        "it works again, and the other lane was never in failure",
        goes(offline({ pull: down(2) }, lanes("idle", "busy")), pulled(), online("idle", "idle"), POLL),
      ),
      when(
        "the other lane is in failure: this one polls as ever",
        goes(offline({ push: down(2) }, lanes("idle", "busy")), pulled(), offline({ push: down(2) }), POLL),
      ),
      when(
        "there are more pages",
        goes(
          offline({ push: down() }, lanes("idle", "busy")),
          pulled(true),
          offline({ push: down() }, lanes("idle", "busy")),
          "pull",
        ),
      ),
      when("it was called off before", stays(offline(), pulled(true))),
    ],
    failed: [
      when(
        "once more: a longer wait",
        goes(
          offline({ pull: down(2) }, lanes("busy", "busy")),
          failed("pull"),
          offline({ pull: down(3) }, lanes("busy", "idle")),
          "timer pull 2000",
        ),
      ),
      when(
        "the other lane has failed before: each has its own wait",
        goes(
          offline({ push: down(5, 8_000, "throttled") }, lanes("idle", "busy")),
          failed("pull", throttled(3_000)),
          offline({ push: down(5, 8_000, "throttled"), pull: down(1, 3_000, "throttled") }),
          "timer pull 3500",
        ),
      ),
      when(
        "the other one needs a person",
        goes(
          offline({ push: down() }, lanes("idle", "busy")),
          failed("pull", refused("device_revoked")),
          actionNeeded({ push: down(), pull: refusedAs("device_revoked") }),
          POLL,
        ),
      ),
      when(
        "something came during the attempt: it is looked at with the next one",
        goes(
          offline({ push: down() }, lanes("again", "idle")),
          failed("push"),
          offline({ push: down(2) }),
          "timer push 1000",
        ),
      ),
      when("it was called off", stays(offline({ push: down() }, lanes("busy", "idle")), failed("push", aborted))),
      when("it is a late report of the registration", stays(offline(), failed("register"))),
    ],
  },
  action_needed: {
    start: [stays(actionNeeded(), bare("start"))],
    stop: [goes(actionNeeded(), bare("stop"), stopped, ...END)],
    close: [goes(actionNeeded(), bare("close"), closed, ...END)],
    acquired: [stays(actionNeeded(), bare("acquired"))],
    lost: [goes(actionNeeded(), bare("lost"), standby, ...GIVE_WAY)],
    pause: [goes(actionNeeded(), pause("night"), paused(true, "night"), ...HOLD)],
    resume: [stays(actionNeeded(), resume("night"))],
    wake: [
      when(
        "a sale does not ask again a server that has refused push",
        stays(actionNeeded({ push: refusedAs() }), wake("queued")),
      ),
      when(
        "a sale is sent where only pull was refused: a revoked device can still hand over what it holds",
        goes(
          actionNeeded({ pull: refusedAs("device_revoked") }),
          wake("queued"),
          actionNeeded({ pull: refusedAs("device_revoked") }, lanes("busy", "idle")),
          "push",
        ),
      ),
      when(
        "somebody came back to the till: perhaps they have signed in",
        goes(actionNeeded(), wake("visible"), actionNeeded(undefined, lanes("busy", "busy")), ...ROUND),
      ),
      when(
        "a store that was never introduced does that first",
        goes(unregistered(refusedAs()), wake("manual"), registering(0, refusedAs()), "cancel_timers", "register"),
      ),
      when(
        "a lane that runs looks again",
        goes(
          actionNeeded(undefined, lanes("busy", "idle")),
          wake("manual"),
          actionNeeded(undefined, lanes("asked", "busy")),
          "pull",
        ),
      ),
    ],
    tick: [
      goes(actionNeeded(), tick("pull"), actionNeeded(undefined, lanes("idle", "busy")), "pull"),
      when("it has begun already", stays(actionNeeded(undefined, lanes("idle", "busy")), tick("pull"))),
    ],
    registered: [stays(actionNeeded(), bare("registered"))],
    reregister: [
      goes(
        actionNeeded(undefined, lanes("busy", "idle")),
        bare("reregister"),
        registering(),
        "abort",
        "cancel_timers",
        "register",
      ),
    ],
    pushed: [
      when(
        "a revoked device can still hand over what it holds",
        goes(
          actionNeeded({ pull: refusedAs("device_revoked") }, lanes("busy", "idle")),
          pushed(true),
          actionNeeded({ pull: refusedAs("device_revoked") }, lanes("busy", "idle")),
          "push",
        ),
      ),
      when(
        "it is let in again",
        goes(actionNeeded({ push: refusedAs() }, lanes("busy", "idle")), pushed(), online("idle", "idle"), LOOK),
      ),
      when(
        "the other lane is still refused",
        goes(actionNeeded(undefined, lanes("busy", "idle")), pushed(), actionNeeded(), LOOK),
      ),
      when("it was called off before", stays(actionNeeded(), pushed(true))),
    ],
    pulled: [
      when(
        "it is let in again",
        goes(actionNeeded(undefined, lanes("idle", "busy")), pulled(), online("idle", "idle"), POLL),
      ),
      when("it was called off before", stays(actionNeeded(), pulled(true))),
    ],
    failed: [
      when(
        "the network failed too: what needs a person is shown",
        goes(
          actionNeeded(undefined, lanes("busy", "idle")),
          failed("push"),
          actionNeeded({ pull: refusedAs(), push: down() }),
          "timer push 500",
        ),
      ),
      when(
        "now it is only the network",
        goes(
          actionNeeded(undefined, lanes("idle", "busy")),
          failed("pull"),
          offline({ pull: down() }),
          "timer pull 500",
        ),
      ),
      when("it was called off", stays(actionNeeded(undefined, lanes("busy", "idle")), failed("push", aborted))),
    ],
  },
  paused: {
    start: [
      when("it ran before", stays(paused(false, "night"), bare("start"))),
      when(
        "it did not: it runs when it is resumed",
        goes(pausedAtRest("night"), bare("start"), paused(false, "night")),
      ),
    ],
    stop: [
      when(
        "it ran before: it gives up its turn",
        goes(paused(true, "night"), bare("stop"), pausedAtRest("night"), ...END),
      ),
      when("it did not", stays(pausedAtRest("night"), bare("stop"))),
    ],
    close: [goes(paused(true, "night"), bare("close"), closed, ...END)],
    acquired: [goes(paused(false, "night"), bare("acquired"), paused(true, "night"))],
    lost: [
      goes(paused(true, "night"), bare("lost"), paused(false, "night"), ...GIVE_WAY),
      when("it asks for none", stays(pausedAtRest("night"), bare("lost"))),
    ],
    pause: [
      when("for one more reason", goes(paused(true, "night"), pause("roaming"), paused(true, "night", "roaming"))),
      when("for the same reason again", stays(paused(true, "night"), pause("night"))),
    ],
    resume: [
      when("of several reasons", goes(paused(true, "night", "roaming"), resume("night"), paused(true, "roaming"))),
      when("of the last reason", goes(paused(true, "night"), resume("night"), registering(), "register")),
      when("without the turn", goes(paused(false, "night"), resume("night"), standby, "acquire")),
      when("where nothing ran before", goes(pausedAtRest("night"), resume("night"), stopped)),
      when("of a reason that nobody gave", stays(paused(true, "night"), resume("roaming"))),
    ],
    wake: [stays(paused(true, "night"), wake("manual"))],
    tick: [stays(paused(true, "night"), tick("pull"))],
    registered: [stays(paused(true, "night"), bare("registered"))],
    reregister: [stays(paused(true, "night"), bare("reregister"))],
    pushed: [stays(paused(true, "night"), pushed(true))],
    pulled: [stays(paused(true, "night"), pulled(true))],
    failed: [stays(paused(true, "night"), failed("push"))],
  },
  closed: {
    start: [stays(closed, bare("start"))],
    stop: [stays(closed, bare("stop"))],
    close: [stays(closed, bare("close"))],
    acquired: [stays(closed, bare("acquired"))],
    lost: [stays(closed, bare("lost"))],
    pause: [stays(closed, pause("night"))],
    resume: [stays(closed, resume("night"))],
    wake: [stays(closed, wake("manual"))],
    tick: [stays(closed, tick("pull"))],
    registered: [stays(closed, bare("registered"))],
    reregister: [stays(closed, bare("reregister"))],
    pushed: [stays(closed, pushed(true))],
    pulled: [stays(closed, pulled(true))],
    failed: [stays(closed, failed("push"))],
  },
};

for (const [kind, row] of Object.entries(TABLE)) {
  describe(kind, () => {
    for (const [eventKind, cases] of Object.entries(row)) {
      for (const { when: text, from, event, to, effects } of cases) {
        test(`${eventKind}${text === undefined ? "" : `, ${text}`} → ${to.kind}`, () => {
          expect([from.kind, event.kind]).toEqual([kind, eventKind]); // the cell's own state and event
          expect(step(from, event)).toEqual([to, effects]);
        });
      }
    }
  });
}

test("a client has the turn from when it acquired it until it stops, and keeps it in a pause", () => {
  const leading = [registering(), online("idle", "idle"), offline(), actionNeeded(), paused(true, "import")];
  const following = [stopped, standby, closed, paused(false, "import"), pausedAtRest("import")];
  expect(leading.map(isLeading)).toEqual(leading.map(() => true));
  expect(following.map(isLeading)).toEqual(following.map(() => false));
});

test("a transition that changes nothing gives the same object back", () => {
  const state = online("idle", "idle");
  expect(transition(state, resume("night"), input).state).toBe(state);
});

// ── The response to each failure ──
describe("a failure", () => {
  type FailureKind = RequestFailure["kind"];
  const kinds: Record<
    Exclude<FailureKind, "refused">,
    { readonly failure: RequestFailure; readonly response: string }
  > = {
    unreachable: { failure: unreachable, response: "unreachable" },
    unauthorised: { failure: { kind: "unauthorised", reason: "refused" }, response: "auth_required" },
    throttled: { failure: throttled(), response: "throttled" },
    server_error: { failure: { kind: "server_error", status: 502 }, response: "server_error" },
    aborted: { failure: aborted, response: "unreachable" },
    device_error: { failure: { kind: "device_error" }, response: "device_error" },
  };
  const codes: Record<Extract<TransportFailure, { kind: "refused" }>["code"], string> = {
    unauthenticated: "auth_required",
    forbidden: "auth_required",
    device_mismatch: "auth_required",
    device_revoked: "device_revoked",
    wrong_workspace: "wrong_workspace",
    protocol_unsupported: "protocol_unsupported",
    malformed: "server_error",
    not_found: "server_error",
    method_not_allowed: "server_error",
    resync_required: "server_error",
    identity_fork: "server_error",
    conflict_moved: "server_error",
    conflict_settled: "server_error",
    not_quarantined: "server_error",
    too_large: "server_error",
    unsupported_encoding: "server_error",
    throttled: "server_error",
    internal: "server_error",
    unavailable: "server_error",
  };
  const causeOf = (failure: RequestFailure) => {
    const [next] = step(registering(), failed("register", failure));
    return next.kind === "offline" || next.kind === "action_needed" ? next.cause : next.kind;
  };

  for (const [kind, { failure, response }] of Object.entries(kinds))
    test(`of kind ${kind} means ${response}`, () => {
      expect(causeOf(failure)).toBe(response);
    });
  for (const [code, response] of Object.entries(codes))
    test(`with the code ${code} means ${response}`, () => {
      expect(causeOf(refused(code as keyof typeof codes))).toBe(response);
    });

  test("that needs a person is shown as one, and asked about again after the longest wait", () => {
    expect(step(online("idle", "busy"), failed("pull", refused("forbidden")))).toEqual([actionNeeded(), [POLL]]);
  });

  test.each([
    ["server_error", refused("internal")],
    ["device_error", { kind: "device_error" }],
  ] as const)("that is over by itself (%s) is shown as one, and tried again with the backoff", (cause, failure) => {
    const shown = offline({ pull: { response: { kind: "offline", cause, floorMs: 0 }, attempt: 1 } });
    expect(step(online("idle", "busy"), failed("pull", failure))).toEqual([shown, ["timer pull 500"]]);
  });
});

// ── Rounds ──
/** Runs events one after another, and returns every effect with the event that caused it. */
function play(
  from: SyncState,
  ...events: MachineEvent[]
): { readonly state: SyncState; readonly log: readonly string[] } {
  let state = from;
  const log: string[] = [];
  for (const event of events) {
    const [next, effects] = step(state, event);
    log.push(...effects.map((effect) => `${event.kind}: ${effect}`));
    state = next;
  }
  return { state, log };
}

describe("the lanes (L6)", () => {
  test("push waits for its own failure only: pull goes on to its end, and the sale goes when its wait is over", () => {
    const { state, log } = play(
      online("busy", "busy"),
      failed("push"),
      pulled(true),
      tick("push"),
      pulled(true),
      pushed(),
    );
    expect(log).toEqual([
      "failed: timer push 500",
      "pulled: pull",
      "tick: push",
      "pulled: pull",
      "pushed: timer push 27000",
    ]);
    expect(state).toEqual(online("idle", "busy"));
  });

  test("pull waits for its own failure only: push goes on to its end, and the next page comes when its wait is over", () => {
    const { state, log } = play(online("busy", "busy"), failed("pull"), pushed(true), tick("pull"), pushed(), pulled());
    expect(log).toEqual([
      "failed: timer pull 500",
      "pushed: push",
      "tick: pull",
      "pushed: timer push 27000",
      "pulled: timer pull 27000",
    ]);
    expect(state).toEqual(online("idle", "idle"));
  });

  test.each(["queued", "manual", "poke"] as const)(
    "lose no wake (%s) that comes while both are busy after an outage",
    (why) => {
      const outage = offline({ push: down(3), pull: down(3) });
      const { log } = play(outage, tick("push"), tick("pull"), wake(why), pushed(), pulled());
      expect(log).toContain("pushed: push");
    },
  );

  test("lose no sale that is made while the other one ends an outage", () => {
    const { state, log } = play(
      offline({ pull: down(3) }),
      tick("pull"),
      wake("queued"),
      pulled(),
      pushed(true),
      pushed(),
    );
    expect(log).toEqual([
      "tick: pull",
      "wake: push",
      "pulled: timer pull 27000",
      "pushed: push",
      "pushed: timer push 27000",
    ]);
    expect(state).toEqual(online("idle", "idle"));
  });

  test("wait longer each time, up to the longest wait", () => {
    const again: MachineEvent[] = [tick("push"), failed("push")];
    const { log } = play(online("busy", "idle"), failed("push"), ...Array.from({ length: 8 }, () => again).flat());
    const waits = log.filter((line) => line.includes("timer ")).map((line) => line.split("timer push ")[1]);
    expect(waits).toEqual(["500", "1000", "2000", "4000", "8000", "16000", "30000", "30000", "30000"]);
  });

  test("that work end the outage, and the next failure waits from the start again", () => {
    const { log } = play(offline({ push: down(6) }), tick("push"), pushed(), wake("queued"), failed("push"));
    expect(log.slice(-2)).toEqual(["wake: push", "failed: timer push 500"]);
  });

  test("forget a Retry-After that the next answer did not repeat", () => {
    const { log } = play(online("busy", "idle"), failed("push", throttled(7_000)), tick("push"), failed("push"));
    expect(log.at(-1)).toBe("failed: timer push 1000");
  });
});

test("a Retry-After is a floor: whatever the jitter, the wait is longer", async () => {
  await fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      fc.integer({ min: 0, max: 3_600_000 }),
      (unit, ms) => {
        const { effects } = transition(online("busy", "idle"), failed("push", throttled(ms)), { ...input, unit });
        expect(effects.find((effect) => effect.kind === "timer")?.afterMs).toBeGreaterThan(ms);
      },
    ),
  );
});

test("a poll is never later than the interval", async () => {
  await fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999_999, noNaN: true }), (unit) => {
      const { effects } = transition(online("idle", "busy"), pulled(), { ...input, unit });
      const [timer] = effects;
      expect(timer?.kind === "timer" && timer.afterMs >= 24_000 && timer.afterMs <= 30_000).toBe(true);
    }),
  );
});

// ── After any sequence of events ──
/** The world around the machine: what its effects have begun, and what may therefore be reported. */
class MachineWorld {
  state: SyncState = stopped;
  readonly requests = new Set<"register" | "push" | "pull">();
  readonly timers = new Set<LaneName>();
  /** How many requests of each kind were ever begun. */
  readonly begun = { register: 0, push: 0, pull: 0 };
  /** The turn was asked for, and not given yet. */
  queueing = false;
  introduced = false;

  tell(event: MachineEvent, unit: number): void {
    const before = this.state;
    const { state, effects } = transition(before, event, { ...input, unit });
    if (before.kind === "closed") expect({ state, effects }).toEqual({ state: before, effects: [] });
    this.state = state;
    for (const effect of effects) this.#run(effect);
    this.#check();
  }

  #run(effect: MachineEffect): void {
    switch (effect.kind) {
      case "register":
      case "push":
      case "pull":
        expect([...this.requests], `a second ${effect.kind}`).not.toContain(effect.kind);
        if (effect.kind !== "register")
          expect(this.introduced, `${effect.kind} before the store is introduced`).toBe(true);
        this.requests.add(effect.kind);
        this.begun[effect.kind] += 1;
        if (effect.kind !== "register") this.timers.delete(effect.kind);
        return;
      case "abort":
        this.requests.clear();
        return;
      case "timer":
        this.timers.add(effect.lane);
        return;
      case "cancel_timers":
        this.timers.clear();
        return;
      case "acquire":
        // A client that already waits starts again at the end of the queue.
        this.queueing = true;
        return;
      case "release":
        this.queueing = false;
        this.introduced = false;
        return;
    }
  }

  #check(): void {
    const { state, requests, timers, queueing } = this;
    switch (state.kind) {
      case "online":
      case "offline":
      case "action_needed": {
        const busy = (["push", "pull"] as const).filter((lane) => state.lanes[lane] !== "idle");
        expect([...requests].sort(), "the lanes say what is in flight").toEqual([...busy].sort());
        for (const lane of ["push", "pull"] as const) {
          const waits = state.kind !== "online" && !state.registered ? timers.size > 0 : timers.has(lane);
          const says = `${lane} will never begin again in ${JSON.stringify(state)}`;
          expect(requests.has(lane) || waits, says).toBe(true);
          expect(requests.has(lane) && timers.has(lane), `${lane} runs, and has a timer`).toBe(false);
        }
        return;
      }
      case "registering":
        expect([...requests]).toEqual(["register"]);
        return;
      case "standby":
        expect(queueing, "nobody has asked for the turn").toBe(true);
        expect([...requests]).toEqual([]);
        return;
      default:
        expect([...requests]).toEqual([]);
        expect([...timers]).toEqual([]);
    }
  }

  /** What this world can report now: answers to requests in flight, a timer that runs, the turn that was asked for. */
  possible(choice: number, failure: RequestFailure, more: boolean): MachineEvent | undefined {
    const found: MachineEvent[] = [];
    for (const lane of this.timers) found.push(tick(lane));
    if (this.queueing) found.push(bare("acquired"));
    if (this.requests.has("register")) found.push(bare("registered"), failed("register", failure), bare("reregister"));
    if (this.requests.has("push")) found.push(pushed(more), failed("push", failure), bare("reregister"), bare("lost"));
    if (this.requests.has("pull")) found.push(pulled(more), failed("pull", failure), bare("reregister"), bare("lost"));
    return found[choice % Math.max(1, found.length)];
  }

  report(event: MachineEvent, unit: number): void {
    if (event.kind === "tick") this.timers.delete(event.lane);
    if (event.kind === "acquired") this.queueing = false;
    if (event.kind === "registered") this.introduced = true;
    if (event.kind === "registered" || event.kind === "failed" || event.kind === "pushed" || event.kind === "pulled")
      this.requests.delete(
        event.kind === "failed"
          ? event.lane
          : event.kind === "pushed"
            ? "push"
            : event.kind === "pulled"
              ? "pull"
              : "register",
      );
    // The request that found out about another epoch has been answered with it.
    if (event.kind === "reregister") this.requests.delete([...this.requests][0] ?? "push");
    this.tell(event, unit);
  }
}

const failures = fc.constantFrom<RequestFailure>(
  { kind: "device_error" },
  unreachable,
  signedOut,
  throttled(5_000),
  throttled(),
  { kind: "server_error", status: 500 },
  refused("device_revoked"),
  refused("malformed"),
);
const interventions = fc.constantFrom<MachineEvent>(
  bare("start"),
  bare("stop"),
  bare("lost"),
  pause("a"),
  pause("b"),
  resume("a"),
  resume("b"),
  ...(["queued", "poke", "online", "visible", "manual"] as const).map(wake),
);
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ choice: fc.nat(20), failure: failures, more: fc.boolean() }) },
    { weight: 2, arbitrary: interventions },
    { weight: 1, arbitrary: fc.constant(bare("start")) },
  ),
  { maxLength: 60 },
);
const units = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 8 });

function live(
  sequence: readonly (MachineEvent | { choice: number; failure: RequestFailure; more: boolean })[],
  seed: readonly number[],
): MachineWorld {
  const world = new MachineWorld();
  for (const [index, item] of sequence.entries()) {
    const unit = seed[index % seed.length] ?? 0;
    if ("kind" in item) world.tell(item, unit);
    else {
      const event = world.possible(item.choice, item.failure, item.more);
      if (event) world.report(event, unit);
    }
  }
  return world;
}

describe("after any sequence of events", () => {
  test("at most one request of a lane is in flight, none before the store is introduced, and something is always under way", async () => {
    await fc.assert(
      fc.property(steps, units, (sequence, seed) => {
        live(sequence, seed);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a wake has each lane that it is for run or look again, but for a wait that it does not step over", async () => {
    await fc.assert(
      fc.property(steps, units, fc.constantFrom("queued", "poke", "manual"), (sequence, seed, why) => {
        const world = live(sequence, seed);
        const before = world.state;
        if (!("lanes" in before)) return;
        world.tell(wake(why), 0.5);
        if (!("lanes" in world.state)) return; // it must register first
        for (const lane of why === "queued" ? (["push"] as const) : (["push", "pull"] as const)) {
          const isWaiting = why !== "manual" && before.kind !== "online" && before.failures[lane] !== undefined;
          const looks = why === "manual" || before.lanes[lane] === "asked" ? "asked" : "again";
          if (before.lanes[lane] !== "idle") expect(world.state.lanes[lane]).toBe(looks);
          else if (!isWaiting) expect(world.state.lanes[lane]).toBe("busy");
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("a person's round has an outcome only of requests that were begun after it", async () => {
    await fc.assert(
      fc.property(steps, steps, units, (sequence, then, seed) => {
        const world = live(sequence, seed);
        const before = { ...world.begun };
        world.tell(wake("manual"), 0.5);
        const idle = { online: true, queue: EMPTY_QUEUE };
        if (!("lanes" in world.state) && world.state.kind !== "registering") return;
        for (const item of then) {
          const event = "kind" in item ? undefined : world.possible(item.choice, item.failure, item.more);
          if (event) world.report(event, 0.5);
          if (!("lanes" in world.state)) continue;
          if (outcomeOf({ sync: world.state, ...idle }, { pushed: 0, pulled: 0 }) === undefined) continue;
          const { register, push, pull } = world.begun;
          const isNew = register > before.register || (push > before.push && pull > before.pull);
          expect(isNew, `the outcome of ${JSON.stringify(world.state)} is older`).toBe(true);
          return;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("closed is the end: no request, no timer, and no event leads out of it", async () => {
    await fc.assert(
      fc.property(steps, steps, units, (before, after, seed) => {
        const world = live(before, seed);
        world.tell(bare("close"), 0.5);
        for (const item of after) if ("kind" in item) world.tell(item, 0.5);
        expect({ state: world.state, requests: [...world.requests], timers: [...world.timers] }).toEqual({
          state: closed,
          requests: [],
          timers: [],
        });
      }),
    );
  });

  test("with the network healed and nobody interfering, both lanes come to rest", async () => {
    await fc.assert(
      fc.property(steps, units, (sequence, seed) => {
        const world = live([bare("start"), ...sequence, resume("a"), resume("b"), bare("start")], seed);
        const heal = (): MachineEvent | undefined => {
          if (world.queueing) return bare("acquired");
          if (world.requests.has("register")) return bare("registered");
          if (world.requests.has("push")) return pushed();
          if (world.requests.has("pull")) return pulled();
          const [lane] = world.timers;
          return world.state.kind === "online" || lane === undefined ? undefined : tick(lane);
        };
        for (let left = 30, event = heal(); left > 0 && event; left -= 1, event = heal()) world.report(event, 0.5);
        expect(world.state).toEqual(online("idle", "idle"));
        expect([...world.timers].sort()).toEqual(["pull", "push"]);
      }),
    );
  });
});
