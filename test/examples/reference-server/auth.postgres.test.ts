/** Everything that the token issuer promises, on PostgreSQL. */
import { onTestFinished } from "vitest";
import { newDatabase } from "../../support/postgres.ts";
import { fallback } from "./support.ts";

fallback.newDatabase = async () => {
  const database = await newDatabase();
  onTestFinished(() => database.drop());
  return database.url;
};

await import("./auth.test.ts");
await import("./auth-store.test.ts");
await import("./devices.test.ts");
await import("./isolation.test.ts");
await import("./password-change.test.ts");
await import("./people.test.ts");
await import("./second-factor.test.ts");
await import("./web.test.ts");
