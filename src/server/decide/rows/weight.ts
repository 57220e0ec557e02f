/** About how many bytes rows take in memory: the characters of their texts, and a few for each value. */
export function weightOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let sum = 16;
  for (const [name, member] of Object.entries(value)) sum += name.length + weightOf(member);
  return sum;
}
