/** The replay as it is called, and a sales log to call it with. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { draws } from "../../../examples/replay/schedule.ts";
import { root } from "../../../scripts/entries.mjs";

export async function run(...args: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, "examples/replay/main.ts"), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill());
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    error += chunk;
  });
  const [code] = await once(child, "close");
  return { code, out, error };
}

export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "tillsync-replay-test-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** In the format of the real one, made up, with all that it has: cancellations, lines that came back, prices of nothing, fees, quotes, nobody's invoices. */
export function syntheticLog(invoices: number, seed = 1): string {
  const draw = draws(seed);
  const lines = ["InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"];
  for (let index = 0; index < invoices; index += 1) {
    const isCancellation = draw.chance(0.15);
    const number = `${isCancellation ? "C" : ""}${536_000 + index}`;
    const customer = draw.chance(0.7) ? String(17_000 + draw.below(12)) : "";
    // One is too long for a single transaction.
    const count = index === 3 ? 230 : draw.between(1, 8);
    for (let line = 0; line < count; line += 1) {
      const product = index === 3 ? line : draw.below(40);
      const code = product === 0 ? "POST" : `${20_000 + product}${product % 7 === 0 ? "B" : ""}`;
      const cameBack = isCancellation || draw.chance(0.03);
      const quantity = (cameBack ? -1 : 1) * draw.between(1, 12);
      const price = draw.chance(0.05) ? "0" : `${draw.below(20)}.${draw.below(100)}`;
      const name = product % 5 === 0 ? `"MUG, ""NO ${product}"""` : `MUG ${product}`;
      lines.push(`${number},${code},${name},${quantity},1/12/2010,${price},${customer},United Kingdom`);
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}
