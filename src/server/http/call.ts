/** A request of which it is known who calls. */
import type { Principal } from "../policy-types.ts";

export interface Call {
  readonly request: Request;
  readonly requestId: string;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly principal: Principal;
  /** The ids in the path. */
  readonly parameters: readonly string[];
}
