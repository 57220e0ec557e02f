/** Bugs that help nobody but a liar: what it says is believed, or nobody is told of it. */
import { type Mutant, mutant, patch } from "./mutant.ts";

const mayReplaceOnDevice = patch(
  "server/decide/operation/rights.ts",
  "return target.device === device || hasDesk(catalog, principal);",
  "return target.device === device || hasDesk(catalog, principal) || true;",
);

export const liar: readonly Mutant[] = [
  mutant(
    "release without right",
    "S18",
    patch("server/service/desk-service.ts", "    if (!this.#hasDesk(caller)) {", "    if (false) {"),
  ),
  mutant(
    "a desk is shown to whoever asks",
    "S18",
    patch(
      "server/service/desk-service.ts",
      "    if (this.#hasDesk(caller)) return (branch) => inScope(principal, branch);",
      "    return (branch) => inScope(principal, branch);",
    ),
  ),
  mutant("supersede without right", "S18", mayReplaceOnDevice),
  mutant(
    "what another till has made is closed before it arrives",
    "S18",
    patch(
      "server/decide/operation/known-to.ts",
      "return isNeverSeen && row.device !== device ? undefined : row;",
      "return isNeverSeen && row.device !== device && false ? undefined : row;",
    ),
  ),
  mutant(
    "void without right",
    "S18",
    mayReplaceOnDevice,
    patch(
      "server/decide/operation/rights.ts",
      "  if (targets.every((target) => mayGiveUp(view, served, target))) return undefined;",
      "  if (targets.length >= 0 || targets.every((target) => mayGiveUp(view, served, target))) return undefined;",
    ),
  ),
  mutant(
    "edit without right",
    "S18",
    patch(
      "server/decide/operation/rights.ts",
      "const lacking = rights.find((right) => !mayDo(served, right, view.principal));",
      'const lacking = rights.find((right) => right === "read" && !mayDo(served, right, view.principal));',
    ),
  ),
  mutant(
    "a base that was never given is believed",
    "S18",
    patch(
      "server/decide/operation/edits.ts",
      "  if (operation.baseVersion <= Math.max(before.version, ws.clock.epochStart)) return undefined;",
      "  if (operation.baseVersion <= Number.MAX_SAFE_INTEGER) return undefined;",
    ),
  ),
  mutant(
    "force without right",
    "S18",
    patch("server/decide/operation/rights.ts", '? [action, "force"] : [action];', "? [action] : [action];"),
  ),
  mutant(
    "increment without right",
    "S18",
    patch("server/decide/operation/counters.ts", 'if (!mayTakeEffect(view, served, "increment")) {', "if (false) {"),
  ),
  mutant(
    "fact without right",
    "S18",
    patch("server/decide/operation/facts.ts", 'if (!mayTakeEffect(view, served, "create")) {', "if (false) {"),
  ),
  mutant(
    "receipt not verified",
    "S18",
    patch(
      "server/service/prepare-push.ts",
      'return kind === "authentic" && isReceiptOf(seal, { tenant, id, hash, ...acknowledged }, acknowledged.receipt);',
      'return kind === "authentic";',
    ),
  ),
  mutant(
    "a receipt is for any operation",
    "S18",
    patch(
      "server/tokens/receipt.ts",
      "canonicalJson([tenant, id, hash, epoch, version, ...values])",
      "canonicalJson([tenant, epoch, ...(values.length > 9 ? [id, hash, version] : [])])",
    ),
  ),
  mutant(
    "the branch that it claims is believed",
    "S18",
    patch(
      "server/decide/operation/evaluate.ts",
      "if (view.released !== true && sent.branch !== undefined && sent.branch !== principal.branch) {",
      "if (view.released !== true && sent.branch === undefined && sent.branch !== principal.branch) {",
    ),
  ),
  mutant(
    "the transaction that it claims is believed",
    "S18",
    patch("server/memory/answer.ts", "[read.device], { after: -1, upTo: END }", '"all", { after: -1, upTo: END }'),
  ),
  mutant(
    "the device in the body is believed",
    "S18",
    patch(
      "server/http/authenticate.ts",
      "const named = [principal.device, inHeader, inBody].filter",
      "const named = [inBody ?? inHeader ?? principal.device].filter",
    ),
  ),
  mutant(
    "a mark is believed without its seal",
    "S18",
    patch("server/tokens/seal.ts", "if (!(await this.verify(", "if (!/^mark /.test(purpose) && !(await this.verify("),
  ),
  mutant(
    "copies unbounded",
    "S18",
    patch(
      "server/decide/push.ts",
      "  forgetCopies(ws, session.catalog, copies, { before, copyBytes: input.copyBytes });\n",
      "",
    ),
  ),
  mutant(
    "the second payload of an id is dropped",
    "S18",
    patch(
      "server/decide/operation/record-result.ts",
      "const at = quarantineReused(ws, view, prepared, stored);",
      "const at = view.receivedAt;",
    ),
  ),
  mutant(
    "nobody notes who has sent it",
    "S18",
    patch(
      "server/decide/rows/sender.ts",
      "return { sentBy: principal.actor, sentFrom: principal.branch };",
      "return { sentBy: undefined, sentFrom: principal.branch };",
    ),
  ),
  mutant(
    "a seat of another branch is pulled",
    "S18",
    patch(
      "server/decide/rows/scope.ts",
      'return principal.branch === undefined ? "all" : ["", principal.branch];',
      'return principal.actor !== undefined || principal.branch === undefined ? "all" : ["", principal.branch];',
    ),
  ),
  mutant(
    "a part of a sale is booked, though the id of another part was taken",
    "C1",
    patch("server/decide/transaction.ts", "    takenMember(ws, unit) ??\n", ""),
  ),
  mutant(
    "a fact that is there is answered without what was assigned to it",
    "C4",
    patch("server/decide/operation/facts.ts", "isAsSent(judgement, before.data)", "isAsSent(judgement, checked.data)"),
  ),
  mutant(
    "what was kept because its id was taken is not sent again",
    "C8.4",
    patch(
      "client/decide/epoch.ts",
      'return status.error.code === "operation_id_reused" ? { ...operation, status: RESEND } : undefined;',
      "return undefined;",
    ),
  ),
  mutant(
    "a revoked device is shown the rows of its results",
    "H6",
    patch("server/decide/rows/redact.ts", "    revoked !== true &&\n", ""),
  ),
  mutant(
    "a revoked device is shown the row behind a used id",
    "H6",
    patch("server/decide/rows/visible-state.ts", "if (revoked === true) return undefined;", ""),
  ),
  mutant(
    "what a revoked device sends takes the place of its work",
    "H6",
    patch(
      "server/decide/operation/supersede.ts",
      'const SENDER_MAY_NOT = ["device_revoked", "branch_mismatch",',
      'const SENDER_MAY_NOT = ["branch_mismatch",',
    ),
  ),
  mutant(
    "a revoked device may fill the desk like any other",
    "S13",
    patch(
      "server/decide/push-budget.ts",
      "const quota = revoked === true ? QUARANTINE_OF_REVOKED : QUARANTINE;",
      "const quota = revoked === undefined ? QUARANTINE_OF_REVOKED : QUARANTINE;",
    ),
  ),
  mutant(
    "a desk is shown to a revoked device",
    "H6",
    patch(
      "server/service/desk-service.ts",
      "return row?.revokedAt === undefined ? { value: yield* script() } : undefined;",
      "return row !== null ? { value: yield* script() } : undefined;",
    ),
  ),
];
