/** Sends hostile requests to the reference server in a process of its own, while an honest till sells on. */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { type ServerProcess, startProcess } from "../support/process.ts";
import { call, json, refresh, register, signIn, type Tokens } from "./calls.ts";
import { Dice } from "./dice.ts";
import { type HostileRequest, hostileRequest, type Target } from "./requests.ts";

/** Of the engine, which ends the process where that does not do. */
const HEAP_MIB = 256;
/** Requests that are under way at a time. */
const AT_ONCE = 8;
const DEVICES = 4;
/** Hostile requests for each sale of the honest till. */
const PER_SALE = 25;
/** Tokens are good for a quarter of an hour. */
const REQUESTS_PER_REFRESH = 4_000;
/** Besides the status: the server ended the connection, as it may when a body is too large. */
const HUNG_UP = "hung up";

/** What the disk may grow by: for each byte that was sent, and for each request. */
export const DISK = { perByte: 24, perRequest: 2_048, besides: 16 * 1_024 * 1_024 } as const;
export const PEAK_MIB = 640;

export interface Outcome {
  readonly requests: number;
  readonly sentBytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  /** What must not be: an answer of 500 and above, or a process that ended. With what brings it again. */
  readonly findings: readonly string[];
  readonly sales: { readonly made: number; readonly arrived: number; readonly stock: number };
  readonly disk: { readonly before: number; readonly after: number };
  readonly memory: { readonly idle: number; readonly now: number; readonly peak: number } | undefined;
  readonly logged: string;
}

export interface Plan {
  readonly seed: number;
  readonly requests: number;
  /** When no more are begun, by the system's clock. */
  readonly until?: number | undefined;
  readonly progress?: ((done: number) => void) | undefined;
}

export async function hostile({ seed, requests, until = Number.POSITIVE_INFINITY, progress }: Plan): Promise<Outcome> {
  const server = await startProcess(HEAP_MIB);
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  try {
    const email = await register(server);
    const attackers = await Attackers.open(server, email);
    const honest = await HonestTill.open(server, email);
    const before = server.disk();
    const idle = server.memory()?.now ?? 0;
    const statuses: Record<string, number> = {};
    const kinds: Record<string, number> = {};
    const findings: string[] = [];
    let next = 0;
    let sentBytes = 0;
    let done = 0;

    const sendNext = async (): Promise<void> => {
      while (next < requests && Date.now() < until && server.isRunning() && findings.length < 20) {
        const number = next++;
        const one = hostileRequest(new Dice(seed, number), attackers.target);
        const answer = await send(agent, server, one);
        sentBytes += one.path.length + (one.body?.byteLength ?? 0);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        kinds[one.kind] = (kinds[one.kind] ?? 0) + 1;
        if (Number(answer.status) >= 500) findings.push(reproducer(number, one, answer));
        attackers.learn(one.device, answer);
        if (number % PER_SALE === 0) await honest.sell();
        if (number % REQUESTS_PER_REFRESH === REQUESTS_PER_REFRESH - 1) await attackers.refresh();
        done += 1;
        if (done % 1_000 === 0) progress?.(done);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
    if (!server.isRunning())
      findings.push(`The process ended after ${done} requests: ${server.logged().slice(-2_000)}`);
    const sales = server.isRunning() ? await honest.books() : { made: honest.made, arrived: 0, stock: 0 };
    const memory = server.memory();
    return {
      ...{ requests: done, sentBytes, statuses, kinds, findings, sales, logged: server.logged() },
      disk: { before, after: server.disk() },
      memory: memory && { idle, ...memory },
    };
  } finally {
    agent.destroy();
    await server.stop();
  }
}

interface Answer {
  readonly status: string;
  readonly text: string;
}

function send(agent: Agent, { port }: ServerProcess, { method, path, headers, body }: HostileRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const hungUp = (error: Error) => resolve({ status: HUNG_UP, text: error.message });
    try {
      const length = body === undefined ? {} : { "content-length": String(body.byteLength) };
      const sent = request(
        { agent, host: "127.0.0.1", port, method, path, headers: { ...headers, ...length } },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (chunk: string) => {
            if (text.length < 20_000_000) text += chunk;
          });
          answer.on("end", () => resolve({ status: String(answer.statusCode), text }));
          answer.on("error", hungUp);
        },
      );
      sent.on("error", hungUp);
      // 100 and 101 are no answer.
      sent.on("upgrade", (_answer, socket) => {
        socket.destroy();
        resolve({ status: "101", text: "" });
      });
      sent.end(body);
    } catch (error) {
      // Node's client refuses to send it.
      resolve({ status: "not sent", text: String(error) });
    }
  });
}

function reproducer(
  number: number,
  { kind, method, path, headers, body }: HostileRequest,
  { status, text }: Answer,
): string {
  const { authorization: _, ...shown } = headers;
  const start = Buffer.from(body ?? [])
    .toString("latin1")
    .slice(0, 3_000);
  return `request ${number} (${kind}): ${method} ${path} ${JSON.stringify(shown)}\n${start}\nanswered ${status} ${text.slice(0, 500)}`;
}

/** Tills of the shop whose people do as they like. */
class Attackers {
  target: Target;
  readonly #server: ServerProcess;
  readonly #marks: Map<string, string>;
  #sessions: readonly Tokens[] = [];

  private constructor(server: ServerProcess, target: Target, marks: Map<string, string>) {
    this.#server = server;
    this.target = target;
    this.#marks = marks;
  }

  static async open(server: ServerProcess, email: string): Promise<Attackers> {
    const devices = Array.from({ length: DEVICES }, (_, n) => `hostile-${n}`) as [string, ...string[]];
    const incarnations = devices.map(() => randomUUID()) as [string, ...string[]];
    const marks = new Map<string, string>();
    const target = { devices, incarnations, marks, tokens: [""] as [string], epoch: "" };
    const attackers = new Attackers(server, target, marks);
    attackers.#take(await Promise.all(devices.map((id) => signIn(server, email, id))));
    for (const [n, id] of devices.entries()) {
      const body = { device: { id, incarnation: incarnations[n] }, schemaVersion: 1 };
      const { epoch } = await json(call(server, "/sync/register", body, attackers.target.tokens[n]));
      attackers.target = { ...attackers.target, epoch };
    }
    return attackers;
  }

  async refresh(): Promise<void> {
    this.#take(await Promise.all(this.#sessions.map((tokens) => refresh(this.#server, tokens))));
  }

  #take(sessions: readonly Tokens[]): void {
    this.#sessions = sessions;
    this.target = { ...this.target, tokens: sessions.map(({ accessToken }) => accessToken) as [string, ...string[]] };
  }

  learn(device: string | undefined, { status, text }: Answer): void {
    if (device === undefined || status !== "200") return;
    const mark = /"mark":"([^"]+)"/.exec(text)?.[1];
    if (mark !== undefined) this.#marks.set(device, mark);
  }
}

const PRODUCT = "honest-tea";

/** Sells one after the other, and sends each until it is applied. */
class HonestTill {
  made = 0;
  readonly #server: ServerProcess;
  readonly #incarnation = randomUUID();
  readonly #ids: string[] = [];
  #tokens: Tokens;
  #epoch = "";
  #sequence = 0;
  #mark: string | undefined;
  #turn: Promise<void> = Promise.resolve();

  private constructor(server: ServerProcess, tokens: Tokens) {
    this.#server = server;
    this.#tokens = tokens;
  }

  static async open(server: ServerProcess, email: string): Promise<HonestTill> {
    const till = new HonestTill(server, await signIn(server, email, "honest"));
    till.#epoch = (await json(till.#post("/sync/register", { schemaVersion: 1 }))).epoch;
    await till.#push([
      till.#operation("products", PRODUCT, "create", { data: { sku: "T", name: "Tea", priceCents: 500 } }),
    ]);
    return till;
  }

  /** One sale at a time, as people do it. */
  sell(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#sell());
    return this.#turn;
  }

  async #sell(): Promise<void> {
    const id = randomUUID();
    this.#ids.push(id);
    this.made += 1;
    const transaction = randomUUID();
    const item = { lineId: "1", productId: PRODUCT, name: "Tea", quantity: 1, unitPriceCents: 500 };
    const data = { branchId: "main", items: [item], totalCents: 500, soldAt: Date.now() };
    await this.#push([
      this.#operation("sales", id, "create", { transaction, data }),
      this.#operation("products", PRODUCT, "increment", { transaction, by: { stock: -1 } }),
    ]);
  }

  /** What arrived, as a pull from the start shows it: each of its sales, and how often it was counted. */
  async books(): Promise<Outcome["sales"]> {
    const seen = new Map<string, number>();
    let stock = 0;
    let cursors: Record<string, string | null> = { sales: null, products: null };
    for (let more = true; more; ) {
      const page = await json(this.#post("/sync/pull", { ...this.#frame(), schemaVersion: 1, collections: cursors }));
      more = false;
      this.#mark = page.mark;
      cursors = {};
      for (const [name, { changes, cursor, more: isMore }] of Object.entries<PulledPage>(page.pages)) {
        cursors[name] = cursor;
        more ||= isMore;
        for (const { id, data } of changes) {
          if (name === "sales") seen.set(id, (seen.get(id) ?? 0) + 1);
          else if (id === PRODUCT) stock = Number(data?.stock);
        }
      }
    }
    return { made: this.made, arrived: this.#ids.filter((id) => seen.get(id) === 1).length, stock };
  }

  async #push(operations: readonly { readonly id: string }[]): Promise<void> {
    for (;;) {
      const response = await this.#post("/sync/push", { ...this.#frame(), operations });
      const answer = await response.json();
      if (response.status !== 200) throw new Error(`The honest till was answered ${JSON.stringify(answer)}`);
      this.#mark = answer.mark;
      const own = operations.map(({ id }) => answer.results.find((result: { id: string }) => result.id === id));
      if (own.every(({ status }) => status === "applied")) return;
      if (own.some(({ status }) => status !== "applied" && status !== "retry"))
        throw new Error(`The honest till was answered ${JSON.stringify(own)}`);
    }
  }

  #frame() {
    const marks = this.#mark === undefined ? {} : { push: this.#mark, pull: this.#mark };
    return { epoch: this.#epoch, marks };
  }
  /** Its token ends in a long run. */
  async #post(path: string, body: object): Promise<Response> {
    const device = { id: "honest", incarnation: this.#incarnation };
    const send = () => call(this.#server, path, { device, ...body }, this.#tokens.accessToken);
    const response = await send();
    if (response.status !== 401) return response;
    this.#tokens = await refresh(this.#server, this.#tokens);
    return send();
  }
  #operation(collection: string, entityId: string, action: string, more: object) {
    const head = { id: randomUUID(), sequence: ++this.#sequence, collection, entityId, action, branch: "main" };
    return { ...head, schemaVersion: 1, occurredAt: new Date().toISOString(), ...more };
  }
}

interface PulledPage {
  readonly changes: readonly { readonly id: string; readonly data?: { readonly stock?: number } }[];
  readonly cursor: string;
  readonly more: boolean;
}

/** What is not as it must be. */
export function faults(outcome: Outcome): readonly string[] {
  const { findings, sales, disk, memory, sentBytes, requests } = outcome;
  const grown = disk.after - disk.before;
  const allowed = DISK.besides + DISK.perRequest * requests + DISK.perByte * sentBytes;
  return [
    ...findings,
    ...(sales.arrived === sales.made ? [] : [`${sales.made} sales were made, and ${sales.arrived} arrived once`]),
    ...(sales.stock === -sales.made ? [] : [`${sales.made} were sold, and the stock is ${sales.stock}`]),
    ...(grown <= allowed ? [] : [`The disk grew by ${grown} bytes, more than ${allowed}`]),
    ...(memory === undefined || memory.peak <= PEAK_MIB ? [] : [`The process had ${memory.peak} MiB`]),
  ];
}
