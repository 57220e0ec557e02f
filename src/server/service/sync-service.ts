/**
 * Registers, pushes and pulls, without HTTP: it takes parsed requests and returns the bodies of answers. The I/O around
 * the decisions.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type {
  Marks,
  PullPage,
  PullRequest,
  PullResponse,
  PushFrame,
  PushResponse,
  RegisterRequest,
  RegisterResponse,
} from "../../protocol/types.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { Introduction } from "../decide/admission.ts";
import { copyBytesOf } from "../decide/copies.ts";
import type { NeedsEpoch } from "../decide/epoch.ts";
import type { PreparedOperation } from "../decide/operation/prepared-operation.ts";
import { decidePull, type PullAnswer } from "../decide/pull.ts";
import { decideRegistration } from "../decide/registration.ts";
import type { ServerParts } from "../options.ts";
import { RequestProblem, revoked, throwStoreFailure } from "../problems.ts";
import { withReceipts } from "../tokens/receipt.ts";
import { Seal } from "../tokens/seal.ts";
import { Tokens } from "../tokens/tokens.ts";
import { beginEpoch } from "./begin-epoch.ts";
import type { DeviceCaller, Publish } from "./caller.ts";
import { commitDecision } from "./commit.ts";
import { prepareOperations, type SentText } from "./prepare-push.ts";
import { PushQueue } from "./push-queue.ts";

/** A restore is noticed once. If one request notices more, several restores happened at once. */
const MAX_MINTINGS = 4;

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

  async register(caller: DeviceCaller, request: RegisterRequest): Promise<RegisterResponse> {
    const { tenant, branch } = caller.principal;
    const introduction = await this.#introduction(caller, request);
    const input = { ...introduction, named: request.device, firstSequence: request.firstSequence };
    const outcome = await this.#inCurrentEpoch(introduction, () =>
      commitDecision(this.#parts, tenant, { decide: (ws) => decideRegistration(ws, input) }, throwStoreFailure),
    );
    if (outcome.kind === "wrong_workspace") throw wrongWorkspace();
    if (outcome.kind === "throttled") throw tooManyStores();
    if (outcome.kind === "revoked") throw revoked(outcome.epoch);
    const { registration, mark } = outcome;
    return {
      requestId: caller.requestId,
      tenant,
      ...(branch !== undefined && { branch }),
      device: { id: caller.device, registeredAt: rfc3339(registration.registeredAt), number: registration.number },
      epoch: outcome.epoch,
      ...(mark && { mark: await this.#tokens.makeMark(tenant, mark) }),
      lastSequence: registration.lastSequence,
      unsynced: registration.unsynced,
      serverTime: rfc3339(this.#parts.clock.now()),
    };
  }

  /** @param sent the request's JSON, as it was sent, and its size */
  async push(caller: DeviceCaller, frame: PushFrame, sent: SentText): Promise<PushResponse> {
    const { tenant } = caller.principal;
    const introduction = await this.#introduction(caller, frame);
    const context = { sent, tenant, seal: this.#seal, tokens: this.#tokens };
    const operations = await prepareOperations(frame, context);
    this.#noteUnproven(caller, operations);
    const outcome = await this.#inCurrentEpoch(introduction, () =>
      this.#queue
        .push({ ...introduction, operations, sentBytes: sent.bytes, copyBytes: copyBytesOf(sent.bytes) })
        .catch(throwStoreFailure),
    );
    switch (outcome.kind) {
      case "wrong_workspace":
        throw wrongWorkspace();
      case "stale":
        throw resync(outcome.epoch);
      case "throttled":
        throw tooManyStores();
      case "fork":
        throw new RequestProblem(
          "identity_fork",
          `Sequence ${outcome.sequence} of this incarnation belongs to another operation`,
        );
      case "answered": {
        if (outcome.touched.length > 0) this.#publish(tenant, caller.device, outcome.touched);
        const { moreResults } = outcome;
        const hashes = new Map(outcome.hashes);
        for (const { id, hash } of operations) hashes.set(id, hash);
        const results = await withReceipts(this.#seal, { ...outcome, tenant, hashes });
        return { ...(await this.#answerHead(caller, outcome)), results, ...(moreResults && { moreResults }) };
      }
    }
  }

  /** Returns the answer as text: most of it is rows, copied from the text that is stored. */
  async pull(caller: DeviceCaller, request: PullRequest): Promise<string> {
    const { tenant } = caller.principal;
    const introduction = await this.#introduction(caller, request);
    const claims = Object.entries(request.collections).map(
      async ([name, cursor]) => [name, await this.#tokens.readCursor(tenant, cursor)] as const,
    );
    const cursors = new Map(await Promise.all(claims));
    const { limit = LIMITS.pullChanges } = request;
    const schemaVersions = new Map(Object.entries(request.schemaVersions ?? {}));
    const input = { ...introduction, cursors, limit, schemaVersions };
    const outcome = await this.#inCurrentEpoch(introduction, () =>
      this.#parts.store.read(tenant, () => decidePull(input)).catch(throwStoreFailure),
    );
    switch (outcome.kind) {
      case "wrong_workspace":
        throw wrongWorkspace();
      case "revoked":
        throw revoked(outcome.epoch);
      case "stale":
        throw resync(outcome.epoch, outcome.collections);
      case "answered": {
        const pages = await this.#pageTexts(tenant, outcome);
        const { isAhead, waiting } = outcome;
        const results = await withReceipts(this.#seal, { ...outcome, tenant });
        const head = await this.#answerHead(caller, outcome);
        const own = { results, ...(isAhead && { moreResults: true }) };
        return pullText({ ...head, ...own, ...(waiting.size > 0 && { waiting: Object.fromEntries(waiting) }) }, pages);
      }
    }
  }

  /** One line for a push, however many there are: whoever forges them must not fill the log. */
  #noteUnproven({ principal: { tenant }, device }: DeviceCaller, operations: readonly PreparedOperation[]): void {
    const unproven = operations.filter(
      ({ parsed, acknowledgedIsAuthentic }) =>
        parsed.ok && parsed.value.acknowledged !== undefined && !acknowledgedIsAuthentic,
    );
    if (unproven.length === 0) return;
    this.#parts.logger.info("Acknowledgements have no valid receipt; the operations are judged as new", {
      tenant,
      device,
      operations: unproven.length,
    });
  }

  async #pageTexts(tenant: string, { pages }: PullAnswer): Promise<Readonly<Record<string, PageText>>> {
    const texts: Record<string, PageText> = {};
    for (const [name, { cursor, ...page }] of pages) {
      const { remaining } = cursor;
      const token = await this.#tokens.makeCursor(tenant, cursor);
      texts[name] = { ...page, cursor: token, ...(page.more && remaining !== undefined && { remaining }) };
    }
    return texts;
  }

  /** If the attempt finds that a new epoch is needed, mints one and tries again [C8.2]. */
  async #inCurrentEpoch<T extends { readonly kind: string }>(
    { session, epoch: claim, marks }: Introduction,
    attempt: () => Promise<T | NeedsEpoch>,
  ): Promise<T> {
    for (let mintings = 0; mintings < MAX_MINTINGS; mintings++) {
      const outcome = await attempt();
      if (!needsMinting(outcome)) return outcome;
      const reason = { observed: outcome.observed, claim, marks };
      await beginEpoch(this.#parts, this.#tokens, session.principal.tenant, reason);
    }
    throw new Error(`The epoch did not settle in ${MAX_MINTINGS} attempts`);
  }

  async #introduction(caller: DeviceCaller, request: Introducing): Promise<Introduction> {
    const { principal, device, receivedAt } = caller;
    const { incarnation } = request.device;
    return {
      session: { catalog: this.#parts.catalog, principal, device, incarnation, receivedAt },
      epoch: await this.#tokens.readEpoch(principal.tenant, request.epoch),
      marks: await this.#tokens.readMarks(principal.tenant, request.marks ?? {}),
      limitBytes: request.limitBytes,
    };
  }

  async #answerHead(
    { requestId, principal }: DeviceCaller,
    { epoch, mark }: Pick<PullAnswer, "epoch" | "mark">,
  ): Promise<Pick<PullResponse, "requestId" | "epoch" | "serverTime" | "mark">> {
    const token = await this.#tokens.makeMark(principal.tenant, mark);
    return { requestId, epoch, serverTime: rfc3339(this.#parts.clock.now()), mark: token };
  }
}

/** What every request of a till says of itself. */
interface Introducing {
  readonly device: { readonly incarnation: string };
  readonly epoch?: string | undefined;
  readonly marks?: Marks | undefined;
  readonly limitBytes?: number | undefined;
}

function needsMinting<T extends { readonly kind: string }>(outcome: T | NeedsEpoch): outcome is NeedsEpoch {
  return outcome.kind === "restored";
}

interface PageText extends Omit<PullPage, "changes"> {
  /** The JSON of each change. */
  readonly changes: readonly string[];
}

/** The answer of a pull as text: its changes are JSON already, and are copied as they are. */
function pullText(answer: Omit<PullResponse, "pages">, pages: Readonly<Record<string, PageText>>): string {
  const texts = Object.entries(pages).map(([name, { changes, ...page }]) => {
    const rest = JSON.stringify(page).slice(1);
    return `${JSON.stringify(name)}:{"changes":[${changes.join(",")}],${rest}`;
  });
  return `${JSON.stringify(answer).slice(0, -1)},"pages":{${texts.join(",")}}}`;
}

function resync(epoch: string, collections?: readonly string[] | undefined): RequestProblem {
  const detail =
    collections === undefined
      ? "The request names another epoch. Nothing was applied: set the epoch and pull from the start"
      : "These cursors can't be continued: pull these collections from the start";
  return new RequestProblem("resync_required", detail, { epoch, collections });
}

function wrongWorkspace(): RequestProblem {
  return new RequestProblem("wrong_workspace", "The store was filled from another shop; nothing was applied");
}

function tooManyStores(): RequestProblem {
  return new RequestProblem(
    "throttled",
    "Too many new incarnations of this device in a day: its store is lost each time it starts, or somebody uses its token",
    { headers: { "retry-after": "3600" } },
  );
}
