/** A shop's server that can be mistreated, and the page of the browser tests. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { build } from "esbuild";
import { createSyncHandler, importRows, readRows } from "tillsync/server";
import { memoryStore } from "tillsync/server/memory";
import { publicEntries, root } from "../../../scripts/entries.mjs";
import { collections, tea } from "../../support/shop.ts";

const everyone = {
  scope: "tenant",
  allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" },
} as const;
const facts = { scope: "tenant", allow: { read: "everyone", create: "everyone" } } as const;

/**
 * A page's script, from the source, as an application's bundler would make it.
 *
 * @param aliases modules that take the place of others
 */
export async function bundle(entries: readonly string[], aliases: Record<string, string> = {}): Promise<string> {
  const sources = publicEntries().map(({ specifier, source }) => [specifier, root + source]);
  const { outputFiles } = await build({
    stdin: { contents: entries.map((entry) => `import ${JSON.stringify(root + entry)};`).join("\n"), resolveDir: root },
    alias: { ...Object.fromEntries(sources), ...aliases },
    bundle: true,
    // A page is made of the side effects of its files.
    ignoreAnnotations: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

export class ShopServer implements AsyncDisposable {
  readonly store = memoryStore();
  readonly #server: Server;
  /** Requests are cut off before the server sees them. */
  online = true;
  /** So many answers to pushes are lost after the server has committed. */
  loseAnswers = 0;
  /** Answers to pushes wait for it. */
  gate: Promise<void> | undefined;
  /** The calls that arrived, in their order. */
  readonly calls: string[] = [];
  /** A page has posted something to `/told/<what>/<which>`. */
  told: (what: string, which: string) => void = () => {};

  protected constructor(script: string) {
    const handle = createSyncHandler({
      store: this.store,
      collections,
      policies: { products: everyone, customers: everyone, sales: facts, payments: facts },
      authenticate: () => ({ tenant: "shop", branch: "main", scopes: [] }),
    });
    const sync = getRequestListener(handle);
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://shop.test");
      const [, folder, what = "", which = ""] = pathname.split("/");
      if (folder === "told") {
        this.told(what, which);
        response.end();
        return;
      }
      if (folder !== "sync") {
        response.setHeader("content-type", pathname === "/page.js" ? "text/javascript" : "text/html");
        response.end(pathname === "/page.js" ? script : PAGE);
        return;
      }
      if (!this.online) {
        request.socket.destroy();
        return;
      }
      this.calls.push(what);
      if (what === "push" && (this.gate || this.loseAnswers > 0)) {
        const end = response.end.bind(response) as (...rest: unknown[]) => typeof response;
        const lose = this.loseAnswers-- > 0;
        const { gate } = this;
        response.end = ((...rest: unknown[]) => {
          if (lose) request.socket.destroy();
          else void gate?.then(() => end(...rest));
          return response;
        }) as typeof response.end;
      }
      void sync(request, response);
    });
  }

  /** @param script of its page */
  static async start(script: string): Promise<ShopServer> {
    const server = new ShopServer(script);
    await server.begin();
    return server;
  }

  /** One product, and a port. */
  protected async begin(): Promise<void> {
    await this.stockUp({ ...tea, stock: 100 });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Products that the back office adds. */
  async stockUp(...products: readonly (typeof tea & { readonly stock?: number })[]): Promise<void> {
    const { store } = this;
    await importRows({ store, collections, tenant: "shop", collection: "products", rows: products });
  }

  async sold(): Promise<readonly string[]> {
    return (await this.#rows("sales")).map(({ id }) => id);
  }

  /** The sale of each payment. */
  async paid(): Promise<readonly string[]> {
    return (await this.#rows("payments")).map(({ saleId }) => saleId);
  }

  /** Of the product that is sold. */
  async stock(): Promise<number | undefined> {
    return (await this.#rows("products")).find(({ id }) => id === tea.id)?.stock;
  }

  async #rows<N extends keyof typeof collections>(collection: N) {
    const rows: (typeof collections)[N]["~shape"]["record"][] = [];
    const { store } = this;
    for await (const row of readRows({ store, collections, tenant: "shop", collection })) rows.push(row as never);
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const PAGE = '<!doctype html><title>Till</title><script src="/page.js"></script>';
