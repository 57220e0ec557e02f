/** Bugs in who a store is, and in what is told of its loss. */
import { type Mutant, mutant, patch } from "./mutant.ts";

export const identity: readonly Mutant[] = [
  mutant(
    "registration not judged: a rollback goes unnoticed",
    "C7",
    patch("client/decide/registration.ts", "if (lastSequence > sequence) {", "if (false) {"),
  ),
  mutant(
    "fork keeps its incarnation",
    "C7",
    patch(
      "client/scripts/identity.ts",
      "const after: Identity = { ...rest, incarnation, firstSequence, registered: false };",
      "const after: Identity = { ...rest, firstSequence, registered: false };",
    ),
  ),
  mutant(
    "fork counts from the start again",
    "C7",
    patch(
      "client/scripts/identity.ts",
      "return { value: { before, after }, writes: [put(IDENTITY, after)] };",
      'const [[queue]] = yield* ask([meta("queue")]);\n  return { value: { before, after }, writes: [put(IDENTITY, after), put("queue", { ...queue, sequence: 0 })] };',
    ),
  ),
  mutant(
    "clones not noticed by the server",
    "C7",
    patch("server/decide/push.ts", "if (owner !== operation.id) return { sequence, operation: operation.id };", ""),
  ),
  mutant(
    "dedup by sequence only",
    "C7",
    patch(
      "server/decide/transaction.ts",
      "    const stored = knownTo(ws, view, member.id);\n    if (stored === undefined) fresh.push(member);",
      '    const stored = ws.operation(ws.sequenceOwner(view.incarnation, headOf(member).sequence ?? 0) ?? "");\n    if (stored === undefined) fresh.push(member);',
    ),
  ),
  mutant(
    "marker not written",
    "S12",
    patch(
      "client/tab/store-marker.ts",
      "if (text !== this.#written) this.#storage.marker?.write(this.#name, text);",
      "",
    ),
  ),
  mutant(
    "storage_lost not told",
    "S12",
    patch(
      "client/tab/event-publisher.ts",
      'this.#emitter.emit("storage_lost", { lastKnownSequence: notice.lastKnownSequence, missing: notice.missing });',
      "",
    ),
  ),
  mutant(
    "loss told by the server is not told on",
    "S12",
    patch("client/sync/register.ts", 'if (verdict.loss) call.notice({ kind: "storage_lost", ...verdict.loss });', ""),
  ),
  mutant(
    "revoked till does not hand over",
    "H6",
    patch(
      "client/sync/register.ts",
      "const isDue = isRevoked(failure) && point.epoch !== undefined && !isElsewhere(failure, point);",
      "const isDue = false;",
    ),
  ),
  mutant(
    "a revoked till's sales are applied",
    "H6",
    patch("server/decide/operation/evaluate.ts", "if (view.revoked === true)", "if (false)"),
  ),
  mutant(
    "a revoked till goes on pulling",
    "H6",
    patch(
      "server/decide/admission.ts",
      '  if (ws.device(session.device)?.revokedAt !== undefined) return { kind: "revoked", epoch: ws.clock.epoch };\n',
      "",
    ),
  ),
];
