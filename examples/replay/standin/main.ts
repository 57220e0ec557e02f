import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { syncRoutes } from "tillsync/server/hono";
import { sqliteStore } from "tillsync/server/sqlite";
import { collections } from "./collections.ts";

const [, port = "0", , database = ""] = process.argv.slice(2);
const all = { read: "everyone", create: "everyone", update: "everyone", delete: "nobody" } as const;
const fact = { read: "everyone", create: "everyone" } as const;
const app = new Hono();
app.post("/auth/login", async (c) => c.json({ token: ((await c.req.json()) as { device: string }).device }));
app.route("/sync", syncRoutes({
  store: sqliteStore({ path: database }),
  collections,
  authenticate: (request) => {
    const device = request.headers.get("authorization")?.replace(/^Bearer /, "");
    return device ? { tenant: "replay", branch: "main", device, scopes: ["sync"] } : undefined;
  },
  policies: {
    products: { scope: "tenant", allow: all },
    customers: { scope: "tenant", allow: all },
    sales: { scope: "tenant", allow: fact },
    payments: { scope: "tenant", allow: fact },
  },
  logger: { error: (...a: unknown[]) => console.error(...a), info() {}, debug() {} },
}));
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" }, (info) => console.log(`listening on http://127.0.0.1:${info.port}`));
