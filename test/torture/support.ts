/** A torture that is short enough for `npm test`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type Database, sqliteFile } from "./databases.ts";
import { KINDS, type Kind } from "./findings.ts";
import { type TortureOptions, torture } from "./torture.ts";

export async function ownFile(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-torture-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return sqliteFile(folder);
}

export const brokenServer = (name: string) => fileURLToPath(new URL(`./broken/${name}.ts`, import.meta.url));

export async function tortured(options: Partial<TortureOptions> & Pick<TortureOptions, "database">) {
  const said: string[] = [];
  const seed = Number(process.env.SEED ?? 7);
  const startedAt = performance.now();
  const progress = (text: string) => said.push(`${Math.round(performance.now() - startedAt)} ms: ${text}`);
  const result = await torture({ kills: 3, seed, tills: 2, patienceMs: 1_500, progress, ...options });
  const { findings } = result;
  const found = Object.fromEntries(KINDS.map((kind) => [kind, findings.of(kind)])) as Record<Kind, readonly string[]>;
  return { ...result, found, said: [`seed ${seed}`, ...said].join("\n") };
}

export const NOTHING = { lost: [], doubled: [], half: [], diverged: [] };
