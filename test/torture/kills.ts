/** What is killed, and when: drawn from the seed. Pure. */
import { draws } from "../../examples/replay/schedule.ts";

export interface Kill {
  readonly victim: "server" | "postgres";
  /** Which of the servers. */
  readonly server: number;
  /** So many receipts after the last kill, and then into the next push. */
  readonly afterReceipts: number;
  readonly afterMs: number;
  /** Until it is started again. */
  readonly downMs: number;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly servers: number;
  /** Whether the database is one that we may kill. */
  readonly ownsPostgres: boolean;
}

export function drawKills({ kills, seed, servers, ownsPostgres }: KillOptions): readonly Kill[] {
  const draw = draws(seed * 7_919 + 1);
  // From decks, so that each comes up however few there are.
  const victims = ownsPostgres ? (["postgres", "server", "server"] as const) : (["server"] as const);
  let deck: Kill["victim"][] = [];
  return Array.from({ length: kills }, (_, index) => {
    if (deck.length === 0) deck = draw.shuffled<Kill["victim"]>(victims);
    return {
      victim: deck.pop() ?? "server",
      server: index % servers,
      afterReceipts: draw.between(1, 12),
      afterMs: draw.below(25),
      downMs: draw.below(300),
    };
  });
}
