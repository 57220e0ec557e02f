/**
 * The reference server as a process of its own, which can be killed, as by a power cut, and started again on the same
 * database and port.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../reference-server/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The person who signs in at the tills. */
export interface Owner {
  readonly email: string;
  readonly password: string;
}

/** A busy machine takes a minute and more. */
const START_MS = 240_000;
/** The last lines of its output, which explain why it ended. */
const KEPT_LINES = 20;

export class ServerProcess {
  readonly #database: string;
  readonly #main: string;
  #port = 0;
  #child: ChildProcess | undefined;
  #said: string[] = [];

  /**
   * @param main another server than the reference server, with the same command line: the checks themselves are tested
   * with broken ones
   */
  constructor(database: string, main = MAIN) {
    this.#database = database;
    this.#main = main;
    process.once("exit", () => this.#child?.kill("SIGKILL"));
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  /** Resolves when it listens: first on a free port, later always on the same one. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        this.#main,
        "--port",
        `${this.#port}`,
        "--database",
        this.#database,
        "--seed",
        "none",
        // Nobody looks at it, and the first start would build it.
        "--no-page",
        "--log",
        "error",
      ],
      { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    this.#said = [];
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string) => {
        clearTimeout(timer);
        reject(new Error(`The server did not start: ${why}\n${this.#said.join("\n")}`));
      };
      const timer = setTimeout(() => failed(`it said nothing in ${START_MS} ms`), START_MS);
      child.once("error", (error) => failed(error.message));
      child.once("exit", (code, signal) => failed(`it ended with ${code ?? signal}`));
      const heard = (line: string) => {
        this.#said = [...this.#said, line].slice(-KEPT_LINES);
        const port = /listening on http:\/\/[^:/]+:(\d+)/i.exec(line)?.[1];
        if (port === undefined) return;
        this.#port = Number(port);
        clearTimeout(timer);
        resolve();
      };
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", heard);
    });
  }

  /** Makes a new shop, and returns its tenant. */
  async register(owner: Owner): Promise<string> {
    const response = await fetch(new URL("/auth/register", this.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ tenant: { name: "Replay" }, ...owner }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The server made no shop: ${response.status} ${text}`);
    return (JSON.parse(text) as { tenant: { id: string } }).tenant.id;
  }

  /** SIGKILL: what it was doing is not finished. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Ends it regularly, so that its database is complete. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const over = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    const impatience = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await over;
    clearTimeout(impatience);
  }
}
