/** Everything about the operations of a push that needs no row, before anybody waits for the tenant's clock. */
import { LIMITS } from "../../protocol/constants.ts";
import { parseOperation } from "../../protocol/operation.ts";
import type { PushFrame, UnknownOperation } from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import { malformedText, payloadText } from "../decide/operation/payload-identity.ts";
import type { PreparedOperation } from "../decide/operation/prepared-operation.ts";
import type { Seal } from "../tokens/seal.ts";
import type { Tokens } from "../tokens/tokens.ts";

export async function prepareOperations(
  { operations }: PushFrame,
  bodyLength: number,
  tenant: string,
  seal: Seal,
  tokens: Tokens,
): Promise<readonly PreparedOperation[]> {
  // A body that is smaller than one operation may be holds none that is larger.
  const isMeasured = bodyLength > LIMITS.operationBytes;
  const prepared: PreparedOperation[] = [];
  for (const raw of operations) prepared.push(await prepareOne(raw, isMeasured, tenant, seal, tokens));
  return prepared;
}

async function prepareOne(
  raw: UnknownOperation,
  isMeasured: boolean,
  tenant: string,
  seal: Seal,
  tokens: Tokens,
): Promise<PreparedOperation> {
  const parsed = parseOperation(raw);
  const text = parsed.ok ? payloadText(parsed.value) : malformedText(raw);
  const acknowledged = parsed.ok ? parsed.value.acknowledged : undefined;
  const claim = acknowledged === undefined ? undefined : await tokens.readEpoch(tenant, acknowledged.epoch);
  return {
    id: raw.id,
    raw,
    parsed,
    hash: await seal.sha256(text),
    bytes: isMeasured ? jsonBytes(JSON.stringify(raw)) : 0,
    acknowledgedIsAuthentic: claim?.kind === "authentic",
  };
}
