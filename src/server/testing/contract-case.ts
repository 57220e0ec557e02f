/** One law of the port, in a form that any test runner can run. */
import type { ServerStore } from "../ports/store.ts";

/** A store for one case, and how to clean up after it. */
export interface StoreUnderTest {
  /** A store without data. */
  readonly store: ServerStore;
  /** Opens another store over the same data, as a second process would. Required unless `persistent` is `false`. */
  open?(): Promise<ServerStore>;
  /** Closes what is open and removes the data. Called after each case, also if it fails. */
  cleanup?(): Promise<void>;
}

/** Makes a new store without data. It is called once per case. */
export type MakeStore = () => Promise<StoreUnderTest>;

/** One law of the port. */
export interface ContractCase {
  /** The law as a sentence: the title of a test. */
  readonly name: string;
  /** Resolves if the store keeps the law. Otherwise it rejects and says what was expected and what was received. */
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
