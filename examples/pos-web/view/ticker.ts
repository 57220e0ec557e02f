/** For countdowns: calls once a second, but not in a hidden tab. */

const SECOND_MS = 1_000;

export function everySecond(listener: () => void): () => void {
  const timer = setInterval(() => document.visibilityState === "visible" && listener(), SECOND_MS);
  return () => clearInterval(timer);
}
