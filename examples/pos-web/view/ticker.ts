/** For what is counted down: calls once a second, and not in a tab that nobody sees. */

const SECOND_MS = 1_000;

export function everySecond(listener: () => void): () => void {
  const timer = setInterval(() => document.visibilityState === "visible" && listener(), SECOND_MS);
  return () => clearInterval(timer);
}
