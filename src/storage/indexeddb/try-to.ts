/** For work whose failure needs no handling, such as aborting a transaction that is over. */
export function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // See above.
  }
}
