/** What it was measured on: a figure without that is none. */
import { cpus, loadavg, platform, release, totalmem } from "node:os";

export function machine(): readonly string[] {
  const all = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `${all.length} × ${all[0]?.model.trim() ?? "CPU unknown"}, ${gib} GiB, ${platform()} ${release()}`,
    `load before the run: ${loadavg()[0]?.toFixed(2)} (what else runs makes every figure worse, and ratios less certain)`,
  ];
}
