/** Two real server processes on one PostgreSQL. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { TokensAnswer } from "../../../examples/reference-server/auth/sessions.ts";
import { root } from "../../../scripts/entries.mjs";
import { newDatabase, newName, type TestDatabase, urlOf } from "../../support/postgres.ts";
import { call, json, PASSWORD } from "./support.ts";

interface Process {
  readonly url: string;
  readonly child: ChildProcess;
  /** All that it has said so far. */
  said(): string;
}

async function start(database: string, ...more: string[]): Promise<Process> {
  const child = run([
    "--port",
    "0",
    "--database",
    database,
    "--log",
    "error",
    "--seed",
    "none",
    "--registration",
    "open",
    ...more,
  ]);
  let said = "";
  const collect = (text: string) => {
    said += text;
  };
  child.stderr?.setEncoding("utf8").on("data", collect);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      collect(text);
      const found = /^listening on (\S+)\nthe shop's data/m.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("close", (code) => reject(new Error(`The server ended with ${code}: ${said}`)));
  });
  return { url, child, said: () => said };
}

function run(args: readonly string[]): ChildProcess {
  const main = join(root, "examples/reference-server/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function database(): Promise<TestDatabase> {
  const made = await newDatabase();
  onTestFinished(() => made.drop());
  return made;
}

/** A shop, and a till that is signed in to it at one of the servers. */
async function shop(server: Process) {
  const email = `owner-${randomUUID()}@shop.example`;
  const owner: TokensAnswer = await json(
    call(server, "/auth/register", { body: { tenant: { name: "Shop" }, email, password: PASSWORD } }),
  );
  const device = { id: `till-${randomUUID().slice(0, 8)}`, incarnation: randomUUID() };
  const tokens: TokensAnswer = await json(
    call(server, "/auth/login", { body: { email, password: PASSWORD, device: { id: device.id } } }),
  );
  const body = { device, schemaVersion: 1 };
  const { epoch } = await json(call(server, "/sync/register", { token: tokens.accessToken, body }));
  return { owner, tokens, device, epoch };
}

type Shop = Awaited<ReturnType<typeof shop>>;

let sales = 0;
/** One sale in three operations. */
function batch(first: number) {
  const saleId = `sale-${++sales}-${randomUUID().slice(0, 8)}`;
  const items = [{ lineId: "1", productId: "tea", name: "Tea", quantity: 1, unitPriceCents: 500 }];
  const made = [
    ["sales", saleId, { branchId: "main", items, totalCents: 500, soldAt: 1 }],
    ["payments", randomUUID(), { branchId: "main", saleId, method: "cash", amountCents: 500, paidAt: 1 }],
    ["customers", randomUUID(), { name: `Customer of ${saleId}` }],
  ] as const;
  return made.map(([collection, entityId, data], index) => ({
    ...{ id: randomUUID(), sequence: first + index, schemaVersion: 1, occurredAt: "2026-01-05T09:30:00.000Z" },
    ...{ collection, entityId, action: "create", data },
  }));
}

async function push(server: Process, { tokens, device, epoch }: Shop, operations: readonly { readonly id: string }[]) {
  const body = { device, epoch, marks: {}, operations };
  const response = await call(server, "/sync/push", { token: tokens.accessToken, body });
  if (response.status !== 200) throw new Error(await response.text());
  const { results } = (await response.json()) as { results: Record<string, unknown>[] };
  return operations.map(({ id }) => {
    const { replayed: _, ...result } = results.find((one) => one.id === id) ?? {};
    return result;
  });
}

test("two servers that start together on a new database: what one does, the other knows", async () => {
  const { url } = await database();
  const [north, south] = await Promise.all([start(url), start(url)]);
  const till = await shop(north);

  // The token of one is good at the other: one key. A refresh, too, and its retry has the same successor.
  expect((await push(south, till, batch(1))).map(({ status }) => status)).toEqual(["applied", "applied", "applied"]);
  const { refreshToken } = till.tokens;
  const refreshed = await Promise.all(
    [north, south].map((server) => json(call(server, "/auth/refresh", { body: { refreshToken } }))),
  );
  expect(refreshed[0].refreshToken).toBe(refreshed[1].refreshToken);

  // A revocation counts everywhere at once.
  const revoke = `/auth/devices/${till.device.id}/revoke`;
  expect((await call(north, revoke, { token: till.owner.accessToken, body: {} })).status).toBe(204);
  expect((await push(south, till, batch(4))).map(({ status }) => status)).toEqual([
    ...["quarantined", "quarantined", "quarantined"],
  ]);
  for (const server of [north, south]) {
    expect(server.said()).toContain("the shop's data: PostgreSQL, 127.0.0.1:");
    expect(server.said()).not.toContain(new URL(url).password);
  }
});

test("one batch, sent to both servers at the same time, many times: one effect, and the same results everywhere", async () => {
  const { url, query } = await database();
  const [north, south] = await Promise.all([start(url), start(url)]);
  const till = await shop(north);
  for (let round = 0; round < 10; round++) {
    const operations = batch(1 + round * 3);
    const answers = await Promise.all([north, south, north, south].map((server) => push(server, till, operations)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.map(({ status }) => status)).toEqual(["applied", "applied", "applied"]);
  }
  const [stored] = await query(
    `select (select count(*)::int from tillsync.operations) as operations,
      (select count(*)::int from tillsync.records where collection = 'sales') as sales,
      (select count(distinct version)::int from tillsync.operations) as positions`,
  );
  expect(stored).toEqual({ operations: 30, sales: 10, positions: 30 });
});

test("a server that is killed while tills push, and connections that are ended: what was answered is stored, once", async () => {
  const { url, query } = await database();
  const [north, south] = await Promise.all([start(url), start(url)]);
  const tills = await Promise.all([north, north, south, south].map(shop));
  const gone = once(north.child, "close");
  const answered: string[] = [];
  let pushes = 0;
  const work = tills.map(async (till, index) => {
    for (let round = 0; round < 25; round++) {
      const operations = batch(1 + round * 3);
      // Until somebody answers, at either of them: as a till does.
      for (let attempt = index; ; attempt++) {
        const server = attempt % 2 === 0 ? north : south;
        pushes++;
        if (pushes === 20) north.child.kill("SIGKILL");
        if (pushes % 15 === 0) {
          const backend = "application_name = 'tillsync' and datname = current_database()";
          await query(`select pg_terminate_backend(pid) from pg_stat_activity where ${backend}`);
        }
        const results = await push(server, till, operations).catch(() => []);
        // An operation that failed alone is answered "retry", and sent again.
        if (results.length === 0 || results.some(({ status }) => status !== "applied")) continue;
        answered.push(...operations.map(({ id }) => id));
        break;
      }
    }
  });
  await Promise.all(work);
  await gone;
  const stored = await query("select id from tillsync.operations");
  expect(stored.map(({ id }) => id).sort()).toEqual(answered.sort());
  const [{ sold } = {}] = await query("select count(*)::int as sold from tillsync.records where collection = 'sales'");
  expect(sold).toBe(100);
});

test.each([
  ["a wrong password", () => urlOf({ password: "hunter2-secret" }), /refused the user or the password/],
  ["a database that is not there", () => urlOf({ database: newName("nowhere") }), /There is no such database/],
  ["a port where nobody listens", () => urlOf({ port: "1" }), /127\.0\.0\.1:1\/postgres could not be reached/],
])("npm start with %s says so in one line, without the password", async (_name, url, message) => {
  const child = run(["--port", "0", "--database", url()]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(said).toMatch(message);
  expect(said.trim().split("\n")).toHaveLength(1);
  expect(said).not.toContain(new URL(url()).password);
});

test("npm start with a URL in the wrong place does not repeat its password", async () => {
  const child = run(["postgres://u:hunter2-secret@127.0.0.1/shop"]);
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child, "close");
  expect(said).toContain("postgres://u:***@127.0.0.1/shop");
  expect(said).not.toContain("hunter2-secret");
});
