/** How much is measured: what the bounds are about, a look within a minute or two, and as little as proves that it works. */
import type { CatalogueSizes } from "./browser/catalogue.ts";
import type { ColdSizes } from "./browser/cold-start.ts";
import type { SellingSizes } from "./browser/selling.ts";

export interface ServerSizes {
  readonly rounds: number;
  /** Batches of a round, shared by its tills. */
  readonly batches: number;
  readonly operationsPerBatch: number;
  readonly tills: readonly number[];
  /** Rows that are pulled in a round. */
  readonly rows: number;
}

export interface GrowthSizes {
  readonly rows: readonly number[];
  readonly queue: readonly number[];
  readonly server: readonly number[];
  readonly times: number;
}

export interface Sizes {
  readonly selling: SellingSizes;
  /** Of the burst that is drained. */
  readonly drain: SellingSizes;
  readonly catalogue: CatalogueSizes;
  readonly catalogueRounds: number;
  readonly cold: ColdSizes;
  readonly coldRounds: number;
  readonly server: ServerSizes;
  readonly growth: GrowthSizes;
}

const selling: SellingSizes = { products: 2_000, rounds: 25, salesPerRound: 60, burst: 2_000, burstRounds: 5 };

export const full: Sizes = {
  selling,
  drain: { ...selling, burst: 1_000, burstRounds: 7 },
  catalogue: { products: 50_000, changes: 500, gets: 2_000, lookups: 500, pages: 100, pageSize: 50 },
  catalogueRounds: 5,
  cold: { products: 50_000, pending: 1_000 },
  coldRounds: 5,
  server: { rounds: 7, batches: 64, operationsPerBatch: 100, tills: [1, 8, 32], rows: 50_000 },
  growth: {
    rows: [1_000, 10_000, 100_000, 1_000_000],
    queue: [10, 1_000, 10_000, 100_000],
    server: [1_000, 10_000, 100_000, 1_000_000],
    times: 20,
  },
};

export const quick: Sizes = {
  selling: { ...selling, rounds: 3, salesPerRound: 30, burst: 500, burstRounds: 2 },
  drain: { ...selling, burst: 1_000, burstRounds: 2 },
  catalogue: { ...full.catalogue, products: 10_000 },
  catalogueRounds: 2,
  cold: { products: 10_000, pending: 1_000 },
  coldRounds: 2,
  server: { rounds: 3, batches: 32, operationsPerBatch: 100, tills: [1, 8], rows: 10_000 },
  growth: { rows: [1_000, 10_000], queue: [10, 1_000, 5_000], server: [1_000, 10_000], times: 10 },
};

export const tiny: Sizes = {
  selling: { products: 20, rounds: 1, salesPerRound: 2, burst: 6, burstRounds: 1 },
  drain: { products: 20, rounds: 1, salesPerRound: 2, burst: 6, burstRounds: 1 },
  catalogue: { products: 300, changes: 5, gets: 5, lookups: 3, pages: 2, pageSize: 3 },
  catalogueRounds: 1,
  cold: { products: 50, pending: 3 },
  coldRounds: 1,
  server: { rounds: 1, batches: 2, operationsPerBatch: 10, tills: [1, 2], rows: 10 },
  growth: { rows: [2_000, 4_000], queue: [5, 10], server: [40, 80], times: 1 },
};
