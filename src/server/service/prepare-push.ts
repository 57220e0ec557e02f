/**
 * Everything about the operations of a push that needs no row: it is done before the push waits for the tenant's clock.
 */
import { LIMITS } from "../../protocol/constants.ts";
import { parseOperation } from "../../protocol/operation.ts";
import { payloadOf } from "../../protocol/payload.ts";
import type { PushFrame, UnknownOperation } from "../../protocol/types.ts";
import { canonicalJson, jsonBytes } from "../../shared/json.ts";
import type { PreparedOperation } from "../decide/operation/prepared-operation.ts";
import type { Seal } from "../tokens/seal.ts";
import type { Tokens } from "../tokens/tokens.ts";

interface Preparation {
  readonly tenant: string;
  readonly seal: Seal;
  readonly tokens: Tokens;
  /**
   * Whether an operation can be larger than allowed: a body that is smaller than one operation may be contains none.
   */
  readonly measures: boolean;
}

export async function prepareOperations(
  { operations }: PushFrame,
  { bodyBytes, ...context }: Omit<Preparation, "measures"> & { readonly bodyBytes: number },
): Promise<readonly PreparedOperation[]> {
  const preparation = { ...context, measures: bodyBytes > LIMITS.operationBytes };
  const prepared: PreparedOperation[] = [];
  for (const raw of operations) prepared.push(await prepareOne(raw, preparation));
  return prepared;
}

async function prepareOne(
  raw: UnknownOperation,
  { tenant, seal, tokens, measures }: Preparation,
): Promise<PreparedOperation> {
  const parsed = parseOperation(raw);
  const text = parsed.ok ? canonicalJson(payloadOf(parsed.value)) : malformedText(raw);
  const acknowledged = parsed.ok ? parsed.value.acknowledged : undefined;
  const claim = acknowledged === undefined ? undefined : await tokens.readEpoch(tenant, acknowledged.epoch);
  return {
    id: raw.id,
    raw,
    parsed,
    hash: await seal.sha256(text),
    bytes: measures ? jsonBytes(JSON.stringify(raw)) : 0,
    acknowledgedIsAuthentic: claim?.kind === "authentic",
  };
}

/** A malformed operation has no canonical text: any difference makes it another one. */
function malformedText(operation: UnknownOperation): string {
  return `malformed ${JSON.stringify(operation)}`;
}
