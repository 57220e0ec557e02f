/** What the services and their callers share: who calls, and what is published after a commit. */
import type { Principal } from "../policy-types.ts";

/** An authenticated caller, and the request that it makes. */
export interface Caller {
  readonly principal: Principal;
  /** The device that the request speaks for. `undefined`: none, as for an office in a browser. */
  readonly device: string | undefined;
  readonly requestId: string;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** A till. */
export interface DeviceCaller extends Caller {
  readonly device: string;
}

/**
 * Called after each commit with the collections that other devices may want to pull. `device` made the change and is
 * not notified; `undefined`: every device is.
 */
export type Publish = (tenant: string, device: string | undefined, collections: readonly string[]) => void;
