import { runSeed } from "./run.ts";
const from = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 1);
const t0 = process.hrtime.bigint(); let ops=0, bad=0;
for (let s = from; s < from+count; s++) { const o = await runSeed(s, count===1); ops+=o.operations;
 if (count===1) console.log(o.lines.join("\n"));
 if (o.violations.length) { bad++; console.log(s, o.violations.slice(0,2).map(v=>v.invariant+' '+v.what.slice(0,300)+' @'+v.at).join(' | ')); }
 if (count===1) console.log(o.digest, o.operations, o.virtualMs, JSON.stringify(o.hits), o.states.join(', ')); }
console.log(`${count} seeds, ${bad} bad, ${ops} operations, ${(Number(process.hrtime.bigint()-t0)/1e9).toFixed(1)} s`);
