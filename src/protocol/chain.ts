/** The chain of operations that an operation replaces, as its `supersedes` names it [C3]. Pure. */
import { LIMITS } from "./constants.ts";

const CHAIN_IDS = LIMITS.transactionOperations;

/**
 * What the successor of an operation names: the whole chain, oldest first. A chain that is longer than allowed keeps
 * its first id, by which all of its operations know each other, and the newest.
 *
 * @param supersedes what the operation itself names
 */
export function chainWith(supersedes: readonly string[], id: string): readonly string[] {
  const chain = [...supersedes, id];
  return chain.length > CHAIN_IDS ? [...chain.slice(0, 1), ...chain.slice(1 - CHAIN_IDS)] : chain;
}

/** Whether ids may be missing between the first and the second one. */
export function isCut(supersedes: readonly string[]): boolean {
  return supersedes.length >= CHAIN_IDS;
}
