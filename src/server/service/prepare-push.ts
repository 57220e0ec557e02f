/**
 * Everything about the operations of a push that needs no row: it is done before the push waits for the tenant's clock.
 */
import { LIMITS } from "../../protocol/constants.ts";
import { parseOperation } from "../../protocol/operation.ts";
import { payloadOf } from "../../protocol/payload.ts";
import type { PushFrame, UnknownOperation, WireOperation } from "../../protocol/types.ts";
import { canonicalJson, elementTexts, jsonBytes, jsonFault } from "../../shared/json.ts";
import { MAX_KEPT_DEPTH, type PreparedOperation } from "../decide/operation/prepared-operation.ts";
import { isReceiptOf } from "../tokens/receipt.ts";
import type { Seal } from "../tokens/seal.ts";
import type { Tokens } from "../tokens/tokens.ts";

/** A request's body. */
export interface SentText {
  readonly text: string;
  /** UTF-8 bytes. */
  readonly bytes: number;
}

interface Preparation {
  readonly tenant: string;
  readonly seal: Seal;
  readonly tokens: Tokens;
  /**
   * Whether an operation can be larger than allowed: a body that is smaller than one operation may be contains none.
   */
  readonly measures: boolean;
  /** The operation's own part of the body. Finding it costs a pass over the body, so only faulty operations ask. */
  readonly textOf: (index: number) => string;
}

export async function prepareOperations(
  { operations }: PushFrame,
  { sent, ...context }: Omit<Preparation, "measures" | "textOf"> & { readonly sent: SentText },
): Promise<readonly PreparedOperation[]> {
  let texts: readonly string[] | undefined;
  const textOf = (index: number) => {
    texts ??= elementTexts(sent.text, "operations");
    return texts[index] ?? "";
  };
  const preparation = { ...context, textOf, measures: sent.bytes > LIMITS.operationBytes };
  const prepared: PreparedOperation[] = [];
  for (const [index, raw] of operations.entries()) prepared.push(await prepareOne(raw, index, preparation));
  return prepared;
}

async function prepareOne(
  raw: UnknownOperation,
  index: number,
  { tenant, seal, tokens, measures, textOf }: Preparation,
): Promise<PreparedOperation> {
  const parsed = parseOperation(raw);
  const isFaulty = !parsed.ok && jsonFault(raw, { maxDepth: MAX_KEPT_DEPTH }) !== undefined;
  const size = measures && !isFaulty ? jsonBytes(JSON.stringify(raw)) : 0;
  const text = isFaulty || size > LIMITS.operationBytes ? textOf(index) : undefined;
  const hash = await seal.sha256(
    parsed.ok ? payloadText(parsed.value) : malformedText(raw, isFaulty ? text : undefined),
  );
  return {
    id: raw.id,
    raw,
    text,
    parsed,
    hash,
    bytes: measures && isFaulty ? jsonBytes(text ?? "") : size,
    acknowledgedIsAuthentic: parsed.ok && (await isProven(parsed.value, hash, { tenant, seal, tokens })),
  };
}

/**
 * Whether `acknowledged` is believed: it has to name an epoch of this tenant, and to bring the receipt for what it says.
 * The epoch alone proves nothing: every till knows it, and could make up the rest.
 */
async function isProven(
  { id, acknowledged }: WireOperation,
  hash: string,
  { tenant, seal, tokens }: Pick<Preparation, "tenant" | "seal" | "tokens">,
): Promise<boolean> {
  if (acknowledged?.receipt === undefined) return false;
  const { kind } = await tokens.readEpoch(tenant, acknowledged.epoch);
  return kind === "authentic" && isReceiptOf(seal, { tenant, id, hash, ...acknowledged }, acknowledged.receipt);
}

function payloadText(operation: WireOperation): string {
  return canonicalJson(payloadOf(operation));
}

/** A malformed operation has no canonical text: any difference makes it another one, also one that no value shows. */
function malformedText(operation: UnknownOperation, text: string | undefined): string {
  return `malformed ${text ?? JSON.stringify(operation)}`;
}
