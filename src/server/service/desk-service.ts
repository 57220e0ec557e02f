/** The desks: which conflicts and quarantined operations a caller sees, page by page, and what it may do with them. */
import type {
  ConflictsResponse,
  DeskQuery,
  FinalResult,
  QuarantineResponse,
  ResolveConflictRequest,
  RevisedResponse,
  RowState,
  ServerConflict,
  UnknownOperation,
} from "../../protocol/types.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import { conflictNow, currentState, serverSide } from "../decide/conflict-now.ts";
import type { DeskInput, DeskOutcome } from "../decide/desk.ts";
import { discard, release } from "../decide/desk-actions.ts";
import { resolveConflict } from "../decide/resolve-conflict.ts";
import { type Catalog, hasDesk } from "../decide/rows/catalog.ts";
import type { Decision } from "../decide/rows/run.ts";
import { branchOf, inScope } from "../decide/rows/scope.ts";
import { recordKey, type WorkingSet } from "../decide/rows/working-set.ts";
import type { ServerParts } from "../options.ts";
import type { Principal } from "../policy-types.ts";
import type { ConflictRow, OperationRow, RecordKey } from "../ports/rows.ts";
import { ask, type StoreReadScript } from "../ports/store.ts";
import { malformed, RequestProblem, revoked, throwStoreFailure } from "../problems.ts";
import type { DeskCaller, Publish } from "./caller.ts";
import { commitDecision } from "./commit.ts";
import { DeskPage, rangeOf } from "./desk-page.ts";

type Revision = DeskOutcome | { readonly kind: "revoked" };

export class DeskService {
  readonly #parts: ServerParts;
  readonly #publish: Publish;

  constructor(parts: ServerParts, publish: Publish) {
    this.#parts = parts;
    this.#publish = publish;
  }

  async conflicts(caller: DeskCaller, query: DeskQuery): Promise<ConflictsResponse> {
    const { catalog } = this.#parts;
    const state = query.state === "settled" ? "settled" : "open";
    const device = caller.device();
    const isShown = this.#visibility(caller);
    const range = rangeOf(query);
    const viewer = { ...caller, hasDesk: this.#hasDesk(caller) };
    const page = await this.#read(caller.principal, device, function* script() {
      const filling = new DeskPage<ShownConflictRow>(range);
      while (!filling.isDone) {
        const rows = yield* ask({ kind: "conflictList", state, ...filling.nextRead });
        const asked = rows.filter(({ server }) => state === "open" || "omitted" in server);
        const found = yield* ask({ kind: "records", keys: asked.map(recordOf) });
        const byKey = new Map(found.map((row) => [recordKey(row.collection, row.id), row]));
        const shown = rows.map((row) => {
          const now = byKey.get(recordKey(row.collection, row.entityId));
          const current = state === "open" && now ? currentState(catalog, viewer, row, now) : undefined;
          return { ...row, server: serverSide(catalog, viewer, row, now), current };
        });
        filling.add(shown, ({ scope, device }) => isShown(scope, device));
      }
      return filling;
    });
    return {
      requestId: caller.requestId,
      conflicts: page.rows.map((row) => shownConflict(catalog, row)),
      ...page.next,
    };
  }

  async quarantine(caller: DeskCaller, query: DeskQuery): Promise<QuarantineResponse> {
    // There is no list of what was discarded or released: the results and the journal of commits have it.
    if (query.state === "settled")
      throw malformed([{ path: "state", message: "The quarantine lists only what is open" }]);
    const device = caller.device();
    const isShown = this.#visibility(caller);
    const range = rangeOf(query);
    const page = await this.#read(caller.principal, device, function* script() {
      const filling = new DeskPage<OperationRow>(range);
      while (!filling.isDone) {
        const rows = yield* ask({ kind: "quarantined", ...filling.nextRead });
        filling.add(rows, (row) => isShown(branchOf(row), row.device));
      }
      return filling;
    });
    const quarantined = page.rows.map(({ id, operation, result, device, receivedAt }) => ({
      operation: { ...operation, id } as UnknownOperation,
      error: "error" in result ? result.error : { code: "quarantined", message: "" },
      device,
      receivedAt: rfc3339(receivedAt),
    }));
    return { requestId: caller.requestId, quarantined, ...page.next };
  }

  async resolve(caller: DeskCaller, id: string, request: ResolveConflictRequest): Promise<RevisedResponse> {
    return this.#revise(caller, id, (ws, input) => resolveConflict(ws, input, request));
  }

  async release(caller: DeskCaller, id: string): Promise<RevisedResponse> {
    return this.#revise(caller, id, release);
  }

  async discard(caller: DeskCaller, id: string, reason: string): Promise<RevisedResponse> {
    return this.#revise(caller, id, (ws, input) => discard(ws, input, reason));
  }

  async #revise(
    caller: DeskCaller,
    id: string,
    decide: (ws: WorkingSet, input: DeskInput) => DeskOutcome,
  ): Promise<RevisedResponse> {
    const { principal } = caller;
    if (!this.#hasDesk(caller)) {
      throw new RequestProblem("forbidden", `The token does not hold the scope ${this.#parts.catalog.deskScope}`);
    }
    const device = caller.device();
    const { catalog, random } = this.#parts;
    const input: DeskInput = { catalog, principal, id, commitId: random.uuid(), now: caller.receivedAt };
    const decision: Decision<Revision> = {
      decide: (ws) => {
        if (device !== undefined && ws.device(device)?.revokedAt !== undefined) return { kind: "revoked" };
        return ws.hasClock ? decide(ws, input) : { kind: "not_found" };
      },
    };
    const outcome = await commitDecision(this.#parts, principal.tenant, decision, throwStoreFailure);
    return { requestId: caller.requestId, results: this.#resultsOf(outcome, principal.tenant) };
  }

  #resultsOf(outcome: Revision, tenant: string): readonly FinalResult[] {
    switch (outcome.kind) {
      case "revised":
        // To every device, also the one that the office uses: the revised results belong to the tills.
        this.#publish(tenant, undefined, outcome.touched);
        return outcome.results;
      case "refused":
        throw malformed(outcome.issues);
      case "not_found":
        throw new RequestProblem("not_found", "The desk has nothing under this id");
      case "not_quarantined":
        throw new RequestProblem("not_quarantined", "It was released, discarded or superseded");
      case "conflict_settled":
        throw new RequestProblem("conflict_settled", "The conflict is settled");
      case "conflict_moved":
        throw new RequestProblem(
          "conflict_moved",
          "The row was written after the version that was decided on; read the conflict again",
        );
      case "revoked":
        throw revoked();
    }
  }

  #hasDesk({ principal }: DeskCaller): boolean {
    return hasDesk(this.#parts.catalog, principal);
  }

  /**
   * Which rows the caller sees: those of its branch (L9), and without the desk's scope only those of its own device.
   *
   * @throws RequestProblem `forbidden`
   */
  #visibility(caller: DeskCaller): (branch: string, device: string) => boolean {
    const { principal } = caller;
    if (this.#hasDesk(caller)) return (branch) => inScope(principal, branch);
    const own = principal.device;
    if (own !== undefined) return (branch, device) => inScope(principal, branch) && device === own;
    throw new RequestProblem(
      "forbidden",
      `The token holds neither a device nor the scope ${this.#parts.catalog.deskScope}`,
    );
  }

  /**
   * Reads for the caller, in one snapshot.
   *
   * @throws RequestProblem `device_revoked`, `unavailable`
   */
  async #read<T>({ tenant }: Principal, device: string | undefined, script: () => StoreReadScript<T>): Promise<T> {
    const read = await this.#parts.store
      .read(tenant, function* unlessRevoked() {
        const [row] = device === undefined ? [] : yield* ask({ kind: "devices", ids: [device] });
        return row?.revokedAt === undefined ? { value: yield* script() } : undefined;
      })
      .catch(throwStoreFailure);
    if (read === undefined) throw revoked();
    return read.value;
  }
}

interface ShownConflictRow extends ConflictRow {
  readonly server: RowState;
  readonly current: RowState | undefined;
}

function recordOf({ collection, entityId }: ConflictRow): RecordKey {
  return { collection, id: entityId };
}

function shownConflict(catalog: Catalog, row: ShownConflictRow): ServerConflict {
  const { id, operationId, collection, entityId, fields, current } = row;
  const { client, server } = conflictNow(catalog, row);
  const { device, actor, detectedAt, settled } = row;
  return {
    id,
    operationId,
    collection,
    entityId,
    fields,
    client,
    server,
    ...(current !== undefined && { current }),
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
