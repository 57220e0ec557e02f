/**
 * Pokes between processes over LISTEN and NOTIFY.
 *
 * - They use a connection of their own, and are never part of a push's transaction: PostgreSQL makes all notifying
 *   transactions of a cluster commit one after the other, which made pushes four times as slow.
 * - Hints that arrive while a notification is being sent are combined in the next one: each process has at most one in
 *   flight.
 * - Without a connection, hints are dropped, and the connection is restored in the background. No caller waits for it.
 * - Behind a pooler in transaction mode, LISTEN succeeds and nothing ever arrives. So each new connection is tried with a
 *   notification that is sent over another one.
 */
import { type Clock, systemClock } from "../../shared/clock.ts";
import { messageOf } from "../../shared/errors.ts";
import { type Logger, silentLogger } from "../../shared/logger.ts";
import { type Random, systemRandom } from "../../shared/random.ts";
import type { PokeHint, PokeRelay } from "../ports/poke-relay.ts";
import { Connection, type Statement } from "./connection.ts";
import { findDriver, type PgClient, type PgDriver } from "./driver.ts";
import { checkUrl } from "./postgres-store.ts";

/** What `postgresPokes` takes. */
export interface PostgresPokesOptions {
  /**
   * The store's database: `postgres://user:password@host:port/database`. A pooler in between must work in session mode:
   * LISTEN belongs to one connection. If nothing arrives over it, `logger` gets an error that says so.
   */
  readonly url: string;
  /** Is informed if the connection is lost or restored, or if nothing arrives over it. @default none: silent */
  readonly logger?: Logger | undefined;
  /** For the waits between attempts to connect, and for a first notification. @default the platform's clock */
  readonly clock?: Pick<Clock, "sleep"> | undefined;
  /** For the name of this process, and for jitter. @default the platform's randomness */
  readonly random?: Random | undefined;
}

/**
 * Pokes for the option `pokes` of a server whose store is `postgresStore`. It connects in the background when the
 * server is created, and never makes a push wait.
 *
 * @example
 * ```ts
 * const server = createSyncServer({ store: postgresStore({ url }), pokes: postgresPokes({ url }), ...rest });
 * ```
 * @throws TillSyncError `invalid_option`
 */
export function postgresPokes(options: PostgresPokesOptions): PokeRelay {
  checkUrl(options?.url);
  return new NotifiedPokes(options);
}

const CHANNEL = "tillsync_pokes";
/** PostgreSQL takes payloads of up to 7,999 bytes. */
const MAX_PAYLOAD_CHARACTERS = 2_000;
const CONNECT_MS = 10_000;
const ANSWER_MS = 10_000;
/** How long a notification to this process itself may take. It takes a few milliseconds. */
const PROBE_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** It has no collections: other processes ignore it. */
type Probe = readonly [from: string, nonce: string];
type Message = readonly [
  from: string,
  tenant: string,
  device: string | null,
  collections: readonly string[],
  scope: string | null,
];

class NotifiedPokes implements PokeRelay {
  readonly "~port" = "poke-relay";
  readonly #url: string;
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #random: Random;
  /** The name of this process: it receives its own notifications too, and ignores them. */
  readonly #self: string;
  readonly #listeners: ((hint: PokeHint) => void)[] = [];
  readonly #closing = new AbortController();
  /** By tenant, device and branch: what was published since the last notification. */
  #pending = new Map<string, { readonly hint: PokeHint; readonly collections: Set<string> }>();
  #connection: Connection | undefined;
  #isSending = false;
  #isDeaf = false;
  /** Is called with the nonce of each probe of this process that arrives. */
  #probed: (nonce: unknown) => void = () => {};
  #running: Promise<void> | undefined;

  constructor({ url, logger, clock, random }: PostgresPokesOptions) {
    this.#url = url;
    this.#logger = logger ?? silentLogger;
    this.#clock = clock ?? systemClock;
    this.#random = random ?? systemRandom;
    this.#self = this.#random.uuid();
  }

  publish(hint: PokeHint): void {
    if (this.#connection === undefined) return;
    const key = JSON.stringify([hint.tenant, hint.device ?? null, hint.scope ?? null]);
    const pending = this.#pending.get(key);
    if (pending === undefined) this.#pending.set(key, { hint, collections: new Set(hint.collections) });
    else for (const collection of hint.collections) pending.collections.add(collection);
    if (!this.#isSending) void this.#send(this.#connection);
  }

  subscribe(listener: (hint: PokeHint) => void): void {
    this.#listeners.push(listener);
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #send(connection: Connection): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#pending.size > 0) {
        const pending = [...this.#pending.values()];
        this.#pending = new Map();
        await connection.run(pending.map(({ hint, collections }) => this.#notification(hint, [...collections])));
      }
    } catch (error) {
      this.#pending.clear();
      this.#logger.debug("A poke could not be sent to other servers", { cause: messageOf(error) });
    } finally {
      this.#isSending = false;
    }
  }

  #notification({ tenant, device, scope }: PokeHint, collections: readonly string[]): Statement {
    const message: Message = [this.#self, tenant, device ?? null, collections, scope ?? null];
    const text = JSON.stringify(message);
    // An empty list of collections means any collection.
    const short =
      text.length <= MAX_PAYLOAD_CHARACTERS ? text : JSON.stringify([...message.slice(0, 3), [], scope ?? null]);
    return { text: "select pg_notify($1, $2)", values: [CHANNEL, short] };
  }

  #receive(payload: string | undefined): void {
    let message: Message | Probe;
    try {
      message = JSON.parse(payload ?? "") as Message | Probe;
    } catch {
      return; // not ours: anyone who can reach the database can notify
    }
    if (!Array.isArray(message)) return;
    if (message[0] === this.#self) this.#probed(message[1]);
    if (message[0] === this.#self || !Array.isArray(message[3])) return;
    // A process of an earlier version sends no branch.
    const [, tenant, device, collections, scope = null] = message;
    const hint: PokeHint = { tenant, device: device ?? undefined, collections, scope: scope ?? undefined };
    for (const listener of this.#listeners) listener(hint);
  }

  /** Keeps the connection for as long as this is open, and reconnects after a loss. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        await this.#listen(() => {
          wait = FIRST_WAIT_MS;
        });
      } catch (error) {
        this.#logger.info("Pokes from other servers are interrupted until the database can be reached", {
          cause: messageOf(error),
        });
      }
      await this.#clock.sleep(wait * (0.5 + this.#random.unit()), signal).catch(() => {}); // closing
    }
  }

  /** Resolves when the connection has ended. */
  async #listen(connected: () => void): Promise<void> {
    const driver = await findDriver();
    const client = this.#newClient(driver);
    const ended = new Promise<void>((resolve) => client.on("end", resolve));
    client.on("notification", ({ payload }) => this.#receive(payload));
    const end = () => void client.end().catch(() => {});
    this.#closing.signal.addEventListener("abort", end, { once: true });
    try {
      await client.connect();
      const connection = new Connection(client);
      await connection.script(`listen ${CHANNEL}`);
      this.#connection = connection;
      this.#tell(await this.#hears(driver, ended));
      connected();
      await ended;
    } finally {
      this.#connection = undefined;
      this.#closing.signal.removeEventListener("abort", end);
      end();
    }
  }

  /** Whether a notification that another connection sends arrives. `undefined`: the connection has ended before. */
  async #hears(driver: PgDriver, ended: Promise<void>): Promise<boolean | undefined> {
    const probe: Probe = [this.#self, this.#random.uuid()];
    const waiting = new AbortController();
    const arrived = new Promise<true>((resolve) => {
      this.#probed = (nonce) => {
        if (nonce === probe[1]) resolve(true);
      };
    });
    const sender = this.#newClient(driver);
    try {
      await sender.connect();
      await new Connection(sender).run([
        { text: "select pg_notify($1, $2)", values: [CHANNEL, JSON.stringify(probe)] },
      ]);
      const tooLate = this.#clock.sleep(PROBE_MS, waiting.signal).then(
        () => false,
        () => undefined,
      );
      return await Promise.race([arrived, ended.then(() => undefined), tooLate]);
    } finally {
      waiting.abort();
      this.#probed = () => {};
      void sender.end().catch(() => {});
    }
  }

  #tell(hears: boolean | undefined): void {
    if (hears === undefined) return;
    if (hears) this.#logger.info("Receiving pokes from other servers");
    else if (!this.#isDeaf) {
      this.#logger.error(
        "No poke arrives from other servers: a notification to this server itself was lost. A pooler in transaction mode " +
          "does not pass on LISTEN. Give `postgresPokes` a URL that leads to the database, or to a pooler in session " +
          "mode. Until then, tills learn of what other servers received when they poll.",
        { waitedMs: PROBE_MS },
      );
    }
    this.#isDeaf = !hears;
  }

  #newClient(driver: PgDriver): PgClient {
    const client: PgClient = new driver.Client({
      connectionString: this.#url,
      application_name: "tillsync-pokes",
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
    });
    client.on("error", () => {}); // its end follows
    return client;
  }
}
