/** One law of a port, as something that any test runner can run. */
import type { ServerStore } from "../ports/store.ts";

export interface StoreUnderTest {
  readonly store: ServerStore;
  /** One more store over the same data, as a second process would open it. Asked of stores that keep their data. */
  open?(): Promise<ServerStore>;
  /** Closes what is open and removes the data. */
  cleanup?(): Promise<void>;
}

/** A new store, without data. */
export type MakeStore = () => Promise<StoreUnderTest>;

export interface ContractCase {
  readonly name: string;
  /** Rejects, with what was expected and what came, where the law is broken. */
  run(make: MakeStore): Promise<void>;
}

export function contractCase(name: string, body: (subject: StoreUnderTest) => Promise<void>): ContractCase {
  return {
    name,
    async run(make) {
      const subject = await make();
      try {
        await body(subject);
      } finally {
        await subject.cleanup?.();
      }
    },
  };
}
