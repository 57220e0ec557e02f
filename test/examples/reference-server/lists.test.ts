/** The owner's lists of people and tills. */
import { expect, test } from "vitest";
import type { Page } from "../../../examples/reference-server/auth/auth-store.ts";
import { partOf } from "../../../examples/reference-server/auth/lists.ts";
import { addUser, call, json, PASSWORD, register, start } from "./support.ts";

const ids = Array.from({ length: 450 }, (_, n) => String(n).padStart(3, "0"));
const read = async ({ after, limit }: Page) => ids.filter((id) => id > after).slice(0, limit);
const keyOf = (id: string) => id;

test("a part has 200, and says where the next one begins, if there is one", async () => {
  const sizes: number[] = [];
  const seen: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const { rows, next }: Awaited<ReturnType<typeof partOf<string>>> = await partOf(read, after, keyOf);
    sizes.push(rows.length);
    seen.push(...rows);
    after = next;
  }
  expect([sizes, seen]).toEqual([[200, 200, 50], ids]);
  expect((await partOf(read, "249", keyOf)).next).toBeUndefined(); // exactly 200 are left
});

test.each(["x".repeat(255), "a\u0000", "a\ud800"])("no list begins after %j", async (after) => {
  await expect(partOf(read, after, keyOf)).rejects.toThrow("Expected the `next` of the page before");
});

test("the owner asks for what comes after a person, and after a till", async () => {
  const server = await start();
  const owner = await register(server);
  const cashier = { roles: ["cashier"] };
  const people = [await addUser(server, owner, cashier), await addUser(server, owner, cashier), owner.email].sort();
  for (const id of ["till-1", "till-2"])
    await call(server, "/auth/login", { body: { email: owner.email, password: PASSWORD, device: { id } } });
  const get = (path: string) => json(call(server, path, { token: owner.accessToken }));
  const { users } = await get(`/auth/users?after=${encodeURIComponent(people[0] as string)}`);
  expect(users.map(({ email }: { email: string }) => email)).toEqual(people.slice(1));
  const { devices } = await get("/auth/devices?after=till-1");
  expect(devices.map(({ id }: { id: string }) => id)).toEqual(["till-2"]);
  expect(await get("/auth/devices?after=%00")).toMatchObject({ code: "malformed" });
});
