/** The part of the PostgreSQL library `pg` that is used. */
import { TillSyncError } from "../../shared/errors.ts";

/** The protocol's messages, as `pg` sends them. */
export interface PgWire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { readonly name: string; readonly text: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly (string | null)[] }): void;
  execute(message: { readonly portal: string; readonly rows: number }): void;
  close(message: { readonly type: "S"; readonly name: string }): void;
  sync(): void;
}

/** What `pg` runs besides its own queries; `pg-cursor` and `pg-query-stream` are built on this too. */
export interface PgSubmittable {
  /** `pg` wraps it with its own callback, which stops the timer of `query_timeout`. */
  callback: (error?: unknown) => void;
  submit(wire: PgWire): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCommandComplete(message: { readonly text: string }): void;
  handleReadyForQuery(): void;
  handleError(error: unknown): void;
}

export interface PgClient {
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  connect(): Promise<unknown>;
  query(submittable: PgSubmittable): unknown;
  query(text: string): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "notification", listener: (message: { readonly payload?: string | undefined }) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  end(): Promise<void>;
}

export interface PgPoolClient extends PgClient {
  /** With `true` the connection is closed and not used again. */
  release(destroy?: boolean): void;
}

export interface PgPool {
  connect(): Promise<PgPoolClient>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect", listener: (client: PgPoolClient) => void): unknown;
  end(): Promise<void>;
}

export interface PgConfig {
  readonly connectionString: string;
  readonly application_name: string;
  readonly keepAlive: boolean;
  readonly connectionTimeoutMillis: number;
  /** How long to wait for a result, in ms: a server that has vanished sends nothing. */
  readonly query_timeout?: number;
  /** The largest number of connections, for a pool. */
  readonly max?: number;
}

export interface PgDriver {
  readonly Client: new (config: PgConfig) => PgClient;
  readonly Pool: new (config: PgConfig) => PgPool;
}

/** @throws TillSyncError `storage_unavailable`: its message says what to install */
export async function findDriver(load: () => Promise<unknown> = () => import("pg")): Promise<PgDriver> {
  try {
    const module = (await load()) as { default: PgDriver };
    return module.default;
  } catch (cause) {
    throw new TillSyncError(
      "storage_unavailable",
      "Expected the PostgreSQL library `pg`, which could not be loaded. Run `npm install pg`.",
      { adapter: "postgres" },
      { cause },
    );
  }
}
