/** A stored operation with its status spread over it, for tests that compare members whatever the state is. */
import type { ResultStamp, StoredOperation, StoredStatus } from "../../src/client/state/operation.ts";

type Members<U> = U extends unknown ? keyof U : never;
type Member<U, K> = U extends unknown ? (K extends keyof U ? U[K] : never) : never;
type Flat<U extends { readonly state: string }> = { readonly state: U["state"] } & {
  readonly [K in Exclude<Members<U>, "state" | "result">]?: Member<U, K>;
};

export type FlatOperation = StoredOperation &
  Flat<StoredStatus> & {
    readonly resultAt?: number | undefined;
    readonly epoch?: string | undefined;
    readonly revision?: number | undefined;
  };

export function flat(operation: StoredOperation): FlatOperation {
  const { result, ...status } = operation.status as StoredStatus & { readonly result?: ResultStamp | undefined };
  const { at: resultAt, ...stamp } = result ?? {};
  return { ...operation, ...status, ...stamp, ...(resultAt !== undefined && { resultAt }) } as FlatOperation;
}
