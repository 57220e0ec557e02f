/** The desks over HTTP: who may see and settle what, page by page. */
import { LIMITS } from "../../protocol/constants.ts";
import type {
  ConflictsResponse,
  DeskQuery,
  FinalResult,
  QuarantineResponse,
  ResolveConflictRequest,
  RevisedResponse,
  ServerConflict,
  UnknownOperation,
} from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import { type DeskInput, type DeskOutcome, discard, release, resolveConflict } from "../decide/desk-actions.ts";
import { asScript } from "../decide/rows/run.ts";
import { branchOf, inScope } from "../decide/rows/scope.ts";
import type { WorkingSet } from "../decide/rows/working-set.ts";
import { deviceOf } from "../http/authenticate.ts";
import type { Call } from "../http/call.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import type { ConflictRow, OperationRow } from "../ports/rows.ts";
import { ask, type StoreRead } from "../ports/store.ts";
import { malformed, RequestProblem, storeFailure } from "../problems.ts";
import { logAll } from "./log.ts";
import { type Publish, revoked } from "./sync-service.ts";

const PAGE_ROWS = 100;
/** Read at a time: what people look at may be large, and a page holds about as much as a pull's (L12). */
const ROWS_PER_READ = 20;
/** Rows that a page may look at before it answers what it has: those of others are passed over. */
const MAX_LOOKED_AT = 2_000;

export class DeskService {
  readonly #parts: ServerParts;
  readonly #publish: Publish;

  constructor(parts: ServerParts, publish: Publish) {
    this.#parts = parts;
    this.#publish = publish;
  }

  async conflicts(call: Call, query: DeskQuery): Promise<ConflictsResponse> {
    const settled = query.state === "settled";
    const { rows, next } = await this.#page(
      call,
      query,
      (after, limit) => ask({ kind: "conflictList", state: settled ? "settled" : "open", after, limit }),
      (row: ConflictRow, own) => inScope(call.principal, row.scope) && (own === undefined || row.device === own),
    );
    return { requestId: call.requestId, conflicts: rows.map(shownConflict), ...next };
  }

  async quarantine(call: Call, query: DeskQuery): Promise<QuarantineResponse> {
    // What was discarded or released is no list of its own: its results, and the journal of commits, say so.
    if (query.state === "settled") throw malformed([{ path: "state", message: "The quarantine lists what is open" }]);
    const { rows, next } = await this.#page(
      call,
      query,
      quarantinedWithBranch,
      (row, own) => inScope(call.principal, row.branch) && (own === undefined || row.device === own),
    );
    const quarantined = rows.map(({ id, operation, result, device, receivedAt }) => ({
      operation: { ...operation, id } as UnknownOperation,
      error: "error" in result ? result.error : { code: "quarantined", message: "" },
      device,
      receivedAt: rfc3339(receivedAt),
    }));
    return { requestId: call.requestId, quarantined, ...next };
  }

  async resolve(call: Call, id: string, request: ResolveConflictRequest): Promise<RevisedResponse> {
    return this.#revise(call, id, (ws, input) => resolveConflict(ws, input, request));
  }

  async release(call: Call, id: string): Promise<RevisedResponse> {
    return this.#revise(call, id, release);
  }

  async discard(call: Call, id: string, reason: string): Promise<RevisedResponse> {
    return this.#revise(call, id, (ws, input) => discard(ws, input, reason));
  }

  async #revise(
    call: Call,
    id: string,
    decide: (ws: WorkingSet, input: DeskInput) => DeskOutcome,
  ): Promise<RevisedResponse> {
    const { principal } = call;
    if (!this.#hasDesk(principal)) {
      throw new RequestProblem("forbidden", `The token does not hold the scope ${this.#parts.deskScope}`);
    }
    const { store, catalog, random, logger } = this.#parts;
    const input: DeskInput = { catalog, principal, id, commitId: random.uuid(), now: call.receivedAt };
    const device = deviceOf(principal, call.request);
    const committed = await store
      .transact(
        principal.tenant,
        asScript<DeskOutcome | { readonly kind: "revoked" }>({
          decide: (ws) => {
            if (device !== undefined && ws.device(device)?.revokedAt !== undefined) return { kind: "revoked" };
            return ws.hasClock ? decide(ws, input) : { kind: "not_found" };
          },
        }),
      )
      .catch(rethrow);
    logAll(logger, committed.logged, { tenant: principal.tenant });
    return { requestId: call.requestId, results: this.#resultsOf(committed.value, principal) };
  }

  #resultsOf(outcome: DeskOutcome | { readonly kind: "revoked" }, principal: Principal): readonly FinalResult[] {
    switch (outcome.kind) {
      case "revised":
        // Also the device that the office works at: the revised results are the tills'.
        this.#publish(principal.tenant, undefined, outcome.touched);
        return outcome.results;
      case "refused":
        throw malformed(outcome.issues);
      case "not_found":
        throw new RequestProblem("not_found", "The desk has nothing under this id");
      case "not_quarantined":
        throw new RequestProblem("not_quarantined", "It was released, discarded or superseded");
      case "conflict_settled":
        throw new RequestProblem("conflict_settled", "The conflict is settled");
      case "revoked":
        throw revoked();
    }
  }

  #hasDesk({ scopes }: Principal): boolean {
    return scopes.includes(this.#parts.deskScope);
  }

  /** Keyset pages by position. Without the desk's scope a device sees its own rows, as far as they are of its branch now (L9). */
  async #page<Row extends { readonly position: number }>(
    call: Call,
    { limit = PAGE_ROWS, after }: DeskQuery,
    read: (after: number, limit: number) => Generator<readonly StoreRead[], readonly Row[], readonly unknown[]>,
    isShown: (row: Row, own: string | undefined) => boolean,
  ): Promise<{ readonly rows: readonly Row[]; readonly next: { readonly next?: string } }> {
    const device = deviceOf(call.principal, call.request);
    const own = this.#hasDesk(call.principal) ? undefined : call.principal.device;
    if (own === undefined && !this.#hasDesk(call.principal)) {
      throw new RequestProblem("forbidden", `The token holds neither a device nor the scope ${this.#parts.deskScope}`);
    }
    const start = Number(after ?? 0);
    if (!Number.isSafeInteger(start) || start < 0)
      throw malformed([{ path: "after", message: "Expected `next` of the page before" }]);
    const page = await this.#parts.store
      .read(call.principal.tenant, function* script() {
        const found = device === undefined ? [] : yield* ask({ kind: "devices", ids: [device] });
        if (found[0]?.revokedAt !== undefined) return undefined;
        const rows: Row[] = [];
        let budget: number = LIMITS.pullBytes;
        let position = start;
        for (let looked = 0; looked < MAX_LOOKED_AT; ) {
          const size = Math.min(limit, ROWS_PER_READ);
          const batch = yield* read(position, size);
          for (const row of batch) {
            if (isShown(row, own)) {
              budget -= jsonBytes(JSON.stringify(row));
              // One always comes, however large.
              if (rows.length >= limit || (budget < 0 && rows.length > 0)) return { rows, position };
              rows.push(row);
            }
            position = row.position;
          }
          if (batch.length < size) return { rows, position: undefined };
          looked += batch.length;
        }
        return { rows, position };
      })
      .catch(rethrow);
    if (page === undefined) throw revoked();
    return { rows: page.rows, next: page.position === undefined ? {} : { next: String(page.position) } };
  }
}

type QuarantinedRow = OperationRow & { readonly branch: string };

function* quarantinedWithBranch(
  after: number,
  limit: number,
): Generator<readonly StoreRead[], readonly QuarantinedRow[], readonly unknown[]> {
  const rows = yield* ask({ kind: "quarantined", after, limit });
  const found = yield* ask({ kind: "devices", ids: [...new Set(rows.map(({ device }) => device))] });
  const devices = new Map(found.map((device) => [device.id, device]));
  return rows.map((row) => ({ ...row, branch: branchOf(row, devices.get(row.device)) }));
}

function shownConflict(row: ConflictRow): ServerConflict {
  const { id, operationId, collection, entityId, fields, client, server, device, actor, detectedAt, settled } = row;
  return {
    id,
    operationId,
    collection,
    entityId,
    fields,
    client,
    server,
    device,
    ...(actor !== undefined && { actor }),
    detectedAt: rfc3339(detectedAt),
    ...(settled !== undefined && { settled: shownSettlement(settled) }),
  };
}

function shownSettlement({
  choice,
  by,
  at,
  note,
}: NonNullable<ConflictRow["settled"]>): NonNullable<ServerConflict["settled"]> {
  return { choice, by, at: rfc3339(at), ...(note !== undefined && { note }) };
}

function rethrow(error: unknown): never {
  throw storeFailure(error);
}
