/** What the services and their callers share: who calls, and what is published after a commit. */
import type { Touched } from "../decide/rows/scope.ts";
import type { Principal } from "../policy-types.ts";

interface Caller {
  readonly principal: Principal;
  readonly requestId: string;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** An authenticated till, and the request that it makes. */
export interface DeviceCaller extends Caller {
  readonly device: string;
}

/** An authenticated caller of a desk: a till, or an office in a browser. */
export interface DeskCaller extends Caller {
  /**
   * The device that the request speaks for. `undefined`: none, as for an office in a browser.
   *
   * It is a function, because a missing right is refused before a device that is not the token's.
   * @throws RequestProblem `device_mismatch`
   */
  device(): string | undefined;
}

/**
 * Called after each commit with what other devices may want to pull. `device` made the change and is not notified;
 * `undefined`: every device is.
 */
export type Publish = (tenant: string, device: string | undefined, touched: readonly Touched[]) => void;
