/** The reference server on a store that breaks its word, as a process: what the torture must notice. Called as `main.ts` of it is. */
import { serve } from "@hono/node-server";
import type { ServerStore } from "tillsync/server";
import { createApp } from "../../../examples/reference-server/app.ts";
import { openDatabases } from "../../../examples/reference-server/database.ts";
import { parseCommandLine } from "../../../examples/reference-server/options.ts";

export async function serveWith(openStore: (path: string) => ServerStore): Promise<void> {
  const { database, port, host } = parseCommandLine(process.argv.slice(2));
  // The users have a file of their own: it is not they who are broken.
  const users = `${database}.users`;
  const { authStore, keys } = await openDatabases({
    database: users,
    authDatabase: users,
    secret: undefined,
    logger: undefined,
  });
  const { app } = createApp({ store: openStore(database), authStore, keys });
  serve({ fetch: app.fetch, port, hostname: host }, (address) => {
    process.stdout.write(`listening on http://${host}:${address.port}\n`);
  });
}
