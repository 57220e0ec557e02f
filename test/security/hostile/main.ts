/** `npm run hostile`: requests that are made to hurt, by the hundred thousand. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { faults, hostile } from "./hostile.ts";

const USAGE = `npm run hostile -- [options]

  --requests 100000  how many
  --seed             what they are. Default: drawn, and printed
  --minutes 25       no more are begun after that

Ends with 0 if no request was answered with 500 or above, the process stayed up within its memory and its disk, and the sales
of the honest till arrived once; with 1 if not; with 2 for a wrong call.
`;

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { requests: text, seed: text, minutes: text, help: { type: "boolean" } } });
  const [requests, seed, minutes] = [
    Number(values.requests ?? "100000"),
    Number(values.seed ?? randomInt(2 ** 31)),
    Number(values.minutes ?? "25"),
  ];
  if (values.help === true || ![requests, seed, minutes].every((each) => Number.isSafeInteger(each) && each >= 0)) {
    process.stdout.write(USAGE);
    return values.help === true ? 0 : 2;
  }
  process.stdout.write(`seed ${seed}, ${requests} requests\n`);
  const began = Date.now();
  const outcome = await hostile({
    ...{ seed, requests, until: began + minutes * 60_000 },
    progress: (done) => done % 10_000 === 0 && process.stdout.write(`${done} requests\n`),
  });
  const { findings: _, logged, ...figures } = outcome;
  process.stdout.write(
    `${JSON.stringify({ ...figures, seconds: Math.round((Date.now() - began) / 1_000) }, null, 1)}\n`,
  );
  const found = faults(outcome);
  for (const fault of found) process.stdout.write(`FAULT: ${fault}\n`);
  const errors = logged.split("\n").filter((line) => line.includes('"level":"error"'));
  process.stdout.write(`the server logged ${errors.length} errors\n`);
  for (const line of errors.slice(0, 20)) process.stdout.write(`${line}\n`);
  return found.length === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
