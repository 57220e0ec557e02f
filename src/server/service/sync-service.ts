/** What the endpoints do, without HTTP: parsed requests in, bodies out. The I/O around the decisions. */
import { LIMITS } from "../../protocol/constants.ts";
import type { PullRequest, PushFrame, PushResponse, RegisterRequest, RegisterResponse } from "../../protocol/types.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { EpochClaim, NeedsEpoch } from "../decide/epoch.ts";
import { decidePull, type PullOutcome } from "../decide/pull.ts";
import { decideRegistration, type RegistrationInput, type RegistrationOutcome } from "../decide/registration.ts";
import type { MarksSeen } from "../decide/rows/marks.ts";
import { asScript } from "../decide/rows/run.ts";
import type { Sender } from "../decide/rows/sender.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import { RequestProblem, storeFailure } from "../problems.ts";
import { Seal } from "../tokens/seal.ts";
import { Tokens } from "../tokens/tokens.ts";
import { beginEpoch } from "./begin-epoch.ts";
import { logAll } from "./log.ts";
import { prepareOperations } from "./prepare-push.ts";
import { type PageText, pullText } from "./pull-text.ts";
import { PushQueue } from "./push-queue.ts";

export interface SyncCaller {
  readonly principal: Principal;
  readonly device: string;
  readonly requestId: string;
  readonly receivedAt: number;
}

/** A restore is found out once; a second find in one request can only mean that two came at once. */
const MAX_MINTINGS = 4;

/** Told after each commit: which tenant, which device it came from, and the collections that others may want to pull. */
export type Publish = (tenant: string, device: string | undefined, collections: readonly string[]) => void;

export class SyncService {
  readonly #parts: ServerParts;
  readonly #queue: PushQueue;
  readonly #seal: Seal;
  readonly #tokens: Tokens;
  readonly #publish: Publish;

  constructor(parts: ServerParts, publish: Publish) {
    this.#parts = parts;
    this.#queue = new PushQueue(parts);
    this.#seal = new Seal(parts.store, parts.digest);
    this.#tokens = new Tokens(this.#seal, parts.logger);
    this.#publish = publish;
  }

  async register(caller: SyncCaller, request: RegisterRequest): Promise<RegisterResponse> {
    const { tenant, branch } = caller.principal;
    const session = this.#session(caller, request.device.incarnation);
    const epoch = await this.#tokens.readEpoch(tenant, request.epoch);
    const marks = await this.#tokens.readMarks(tenant, request.marks ?? {});
    const input = { session, named: request.device, epoch, marks };
    const done = await this.#untilCurrent<RegistrationOutcome>(tenant, epoch, marks, () => this.#registerOnce(input));
    if (done.kind === "wrong_workspace") throw wrongWorkspace();
    if (done.kind === "revoked") throw revoked(done.epoch);
    const { registration, mark } = done;
    return {
      requestId: caller.requestId,
      tenant,
      ...(branch !== undefined && { branch }),
      device: { id: caller.device, registeredAt: rfc3339(registration.registeredAt), number: registration.number },
      epoch: done.epoch,
      ...(mark && { mark: await this.#tokens.makeMark(tenant, mark) }),
      lastSequence: registration.lastSequence,
      unsynced: registration.unsynced,
      serverTime: rfc3339(this.#parts.clock.now()),
    };
  }

  async #registerOnce(input: RegistrationInput): Promise<RegistrationOutcome> {
    const { tenant } = input.session.principal;
    const committed = await this.#parts.store
      .transact(tenant, asScript({ decide: (ws) => decideRegistration(ws, input) }))
      .catch(rethrow);
    logAll(this.#parts.logger, committed.logged, { tenant });
    return committed.value;
  }

  async push(caller: SyncCaller, frame: PushFrame, bodyLength: number): Promise<PushResponse> {
    const { tenant } = caller.principal;
    const session = this.#session(caller, frame.device.incarnation);
    const epoch = await this.#tokens.readEpoch(tenant, frame.epoch);
    const marks = await this.#tokens.readMarks(tenant, frame.marks);
    const operations = await prepareOperations(frame, bodyLength, tenant, this.#seal, this.#tokens);
    const outcome = await this.#untilCurrent(tenant, epoch, marks, () =>
      this.#queue.push({ session, epoch, marks, operations }).catch(rethrow),
    );
    switch (outcome.kind) {
      case "wrong_workspace":
        throw wrongWorkspace();
      case "stale":
        throw resync(outcome.epoch);
      case "fork":
        throw new RequestProblem(
          "identity_fork",
          `Sequence ${outcome.sequence} of this incarnation is another operation's`,
        );
      case "answered": {
        if (outcome.touched.length > 0) this.#publish(tenant, session.device, outcome.touched);
        const mark = await this.#tokens.makeMark(tenant, outcome.mark);
        return { ...this.#answer(caller, outcome.epoch, mark), results: outcome.results };
      }
    }
  }

  /** The answer is text already: most of it is rows in the text that is stored. */
  async pull(caller: SyncCaller, request: PullRequest): Promise<string> {
    const { tenant } = caller.principal;
    const unknown = Object.keys(request.collections).find((name) => !this.#parts.catalog.collections.has(name));
    if (unknown !== undefined)
      throw new RequestProblem("malformed", `collections.${unknown}: The server has no such collection`);
    const session = this.#session(caller, request.device.incarnation);
    const epoch = await this.#tokens.readEpoch(tenant, request.epoch);
    const marks = await this.#tokens.readMarks(tenant, request.marks);
    const claims = Object.entries(request.collections).map(
      async ([name, cursor]) => [name, await this.#tokens.readCursor(tenant, cursor)] as const,
    );
    const cursors = new Map(await Promise.all(claims));
    const input = { session, epoch, marks, cursors, limit: request.limit ?? LIMITS.pullChanges };
    const outcome = await this.#untilCurrent<PullOutcome>(tenant, epoch, marks, () =>
      this.#parts.store.read(tenant, () => decidePull(input)).catch(rethrow),
    );
    switch (outcome.kind) {
      case "wrong_workspace":
        throw wrongWorkspace();
      case "revoked":
        throw revoked(outcome.epoch);
      case "stale":
        throw resync(outcome.epoch, outcome.collections);
      case "answered": {
        const mark = await this.#tokens.makeMark(tenant, outcome.mark);
        const pages: Record<string, PageText> = {};
        for (const [name, { changes, cursor, more }] of outcome.pages) {
          const { remaining } = cursor;
          const token = await this.#tokens.makeCursor(tenant, cursor);
          pages[name] = { changes, cursor: token, more, ...(more && remaining !== undefined && { remaining }) };
        }
        return pullText({ ...this.#answer(caller, outcome.epoch, mark), results: outcome.results }, pages);
      }
    }
  }

  /** Mints an epoch where the answer needs one, and asks again. */
  async #untilCurrent<T extends { readonly kind: string } | NeedsEpoch>(
    tenant: string,
    claim: EpochClaim,
    marks: MarksSeen,
    run: () => Promise<T>,
  ): Promise<Exclude<T, NeedsEpoch>> {
    for (let mintings = 0; mintings < MAX_MINTINGS; mintings++) {
      const outcome = await run();
      if (!isNeed(outcome)) return outcome as Exclude<T, NeedsEpoch>;
      await beginEpoch(this.#parts, this.#tokens, tenant, { observed: outcome.observed, claim, marks });
    }
    throw new Error(`The epoch did not settle in ${MAX_MINTINGS} attempts`);
  }

  #session({ principal, device, receivedAt }: SyncCaller, incarnation: string): Sender {
    return { catalog: this.#parts.catalog, principal, device, incarnation, receivedAt };
  }

  #answer({ requestId }: SyncCaller, epoch: string, mark: string) {
    return { requestId, epoch, serverTime: rfc3339(this.#parts.clock.now()), mark };
  }
}

function isNeed(outcome: { readonly kind: string }): outcome is NeedsEpoch {
  return outcome.kind === "restored";
}

function rethrow(error: unknown): never {
  throw storeFailure(error);
}

function resync(epoch: string, collections?: readonly string[] | undefined): RequestProblem {
  return new RequestProblem("resync_required", "Nothing was applied; set the epoch and start again", {
    epoch,
    collections,
  });
}

function wrongWorkspace(): RequestProblem {
  return new RequestProblem("wrong_workspace", "The store was filled from another shop; nothing was applied");
}

/** The epoch with it: what the server has lost in a restore, and what a store that never registered holds, is pushed under no other one. */
export function revoked(epoch?: string): RequestProblem {
  return new RequestProblem(
    "device_revoked",
    "The device was revoked; what it still holds can be pushed, and goes into quarantine",
    { epoch },
  );
}
