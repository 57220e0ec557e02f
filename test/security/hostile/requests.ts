/** Requests that are made to hurt, drawn from the protocol's schemas and from their borders. */
import { METHODS } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { discardQuarantinedRequestSchema, resolveConflictRequestSchema } from "../../../src/protocol/desks.ts";
import { operationSchema } from "../../../src/protocol/operation.ts";
import { pullRequestSchema } from "../../../src/protocol/pull.ts";
import { pushFrameSchema } from "../../../src/protocol/push.ts";
import { registerRequestSchema } from "../../../src/protocol/register.ts";
import { membersOf } from "../support/fields.ts";
import type { Dice } from "./dice.ts";
import { changed, type Hostile, hostileValue, object, textOf } from "./values.ts";

/** What the requests know of the shop that they are made against. */
export interface Target {
  readonly tokens: readonly [string, ...string[]];
  readonly devices: readonly [string, ...string[]];
  readonly incarnations: readonly [string, ...string[]];
  readonly epoch: string;
  /** Of each device, from its last answer. */
  readonly marks: ReadonlyMap<string, string>;
}

export interface HostileRequest {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** The device whose marks its answer has. */
  readonly device?: string | undefined;
}

const COLLECTIONS = [
  "products",
  "customers",
  "sales",
  "payments",
  "categories",
  "settings",
  "users",
  "saleBalances",
  "nothing",
];
const ENTITIES = ["h-1", "h-2", "h-3", "__proto__", "a".repeat(64)];
const ACTIONS = ["create", "update", "increment", "delete", "void"];

const product = { sku: "H", name: "Hostile", priceCents: 1 };
const sale = (at: number) => ({
  ...{ branchId: "main", totalCents: 1, soldAt: at },
  items: [{ lineId: "1", productId: "h-1", name: "Hostile", quantity: 1, unitPriceCents: 1 }],
});
const DATA: Readonly<Record<string, object>> = {
  products: product,
  customers: { name: "H" },
  sales: sale(1_795_161_600_000),
};

/** A valid one, of whatever kind. */
function operation(dice: Dice): Hostile {
  const collection = dice.of(COLLECTIONS);
  const action = dice.of(ACTIONS);
  const ids = () => Array.from({ length: dice.of([0, 1, 3, 250]) }, () => dice.uuid());
  const content: Readonly<Record<string, object>> = {
    create: { data: object({ ...(DATA[collection] ?? product) }) },
    update: {
      baseVersion: dice.of([0, 1, 2 ** 52]),
      patch: object({ name: "H", priceCents: 2 }),
      ...(dice.happens(0.2) && { unset: ["sku"] }),
    },
    increment: { by: object({ [dice.of(["stock", "points", "none"])]: dice.of([1, -1, 2 ** 53 - 1]) }) },
    delete: { baseVersion: dice.of([0, 2 ** 52]) },
    void: { supersedes: [dice.uuid(), ...ids()].slice(0, 250) },
  };
  return object({
    ...{
      id: dice.uuid(),
      sequence: 1 + dice.below(2 ** 40),
      collection,
      entityId: dice.happens(0.8) ? dice.of(ENTITIES) : dice.uuid(),
    },
    ...{ schemaVersion: 1, occurredAt: "2026-11-20T08:00:00.000Z", action },
    ...content[action],
    ...(dice.happens(0.2) && { transaction: dice.of(["t-1", "t-2", dice.uuid()]) }),
    ...(dice.happens(0.1) && { after: ids() }),
    ...(dice.happens(0.1) && action !== "void" && { supersedes: ids() }),
    ...(dice.happens(0.5) && { branch: dice.of(["main", "south"]) }),
    ...(dice.happens(0.05) && { acknowledged: object({ epoch: "forged", version: dice.below(1_000), receipt: "x" }) }),
    ...(dice.happens(0.1) && { force: true }),
  });
}

function times(dice: Dice, changes: number, value: Hostile): Hostile {
  let now = value;
  for (let n = 0; n < changes; n++) now = changed(dice, now);
  return now;
}

/** Every member of the schemas, by its path. The generator takes each once in so many requests, whatever else it draws. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  push: membersOf(pushFrameSchema),
  operation: membersOf(operationSchema),
  pull: membersOf(pullRequestSchema),
  register: membersOf(registerRequestSchema),
  resolve: membersOf(resolveConflictRequestSchema),
  discard: membersOf(discardQuarantinedRequestSchema),
};

/** The object with something else at the path, which need not exist in it. */
function withAt(dice: Dice, value: Hostile, [first, ...rest]: readonly string[]): Hostile {
  if (first === undefined) return hostileValue(dice);
  const name = first.replace("[]", "");
  const members = typeof value === "object" && value !== null && "members" in value ? value.members : [];
  const old = members.find(([each]) => each === name)?.[1] ?? { members: [] };
  const next = withAt(dice, Array.isArray(old) ? (old[0] ?? { members: [] }) : old, rest);
  const put = first.endsWith("[]") ? [next] : next;
  return { members: [...members.filter(([each]) => each !== name), [name, put]] };
}

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ["tillsync-protocol", ["", "0", "2", "1, 1", "one", "1".repeat(4_000)]],
  ["tillsync-request-id", ["", "x".repeat(65), "../..", "a b", "é", "'"]],
  ["tillsync-device", ["", "x".repeat(65), "another", "__proto__", "x".repeat(7_000)]],
  ["authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "bearer x", `Bearer ${"x".repeat(7_000)}`]],
  ["content-type", ["", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "x".repeat(2_000)]],
  ["content-encoding", ["br", "deflate", "gzip, gzip", "identity", "", "none of it", "GZIP"]],
  ["accept-encoding", ["", "*;q=0", "gzip;q=0", "br", "gzip;q=nan", ",".repeat(2_000)]],
  ["origin", ["https://evil.example", "null", ""]],
  ["x-forwarded-for", ["1.2.3.4", "::1", "x".repeat(3_000), ",,,"]],
  ["expect", ["200-ok"]],
  ["if-none-match", ["*", '"x"']],
  ["range", ["bytes=0-0", "bytes=-1"]],
];
const PATHS = [
  ...[
    "/",
    "/sync",
    "/sync/",
    "/sync/push/",
    "/sync/push/push",
    "/sync//push",
    "/sync/%70ush",
    "/sync/push%00",
    "/sync/push?x=1",
  ],
  ...[
    "/sync/health",
    "/sync/time",
    "/sync/live",
    "/sync/register",
    "/sync/push",
    "/sync/pull",
    "/sync/conflicts",
    "/sync/quarantine",
  ],
  ...[
    "/sync/conflicts/x/resolve",
    "/sync/quarantine/x/release",
    "/sync/quarantine/x/discard",
    "/sync/quarantine/%2e%2e/release",
  ],
  ...[
    "/auth",
    "/auth/login",
    "/auth/refresh",
    "/auth/users",
    "/auth/users?after=%00",
    "/auth/devices?after=a",
    "/auth/sessions",
    "/auth/none",
    "/auth/users/x/disable",
    "/auth/devices/x/revoke",
  ],
  ...[
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/index.html",
    "/sw.js",
    `/${"a".repeat(7_000)}`,
    "/sync/%",
    "/sync/%ff",
  ],
];
const QUERIES = [
  "",
  "?limit=0",
  "?limit=200",
  "?limit=201",
  "?limit=-1",
  "?limit=1e2",
  "?state=settled",
  "?state=x",
  "?after=x",
  "?after=",
  "?limit=1&limit=2",
  "?__proto__=1",
  `?after=${"x".repeat(3_000)}`,
];
const AUTH = [
  ["register", { tenant: { name: "S" }, email: "x", password: "correct horse battery" }],
  ["login", { email: "nobody@shop.example", password: 1, device: { id: "h" } }],
  ["refresh", { refreshToken: "x" }],
  ["recovery", { email: "nobody" }],
  ["password", { currentPassword: 1, newPassword: "x" }],
  ["sessions/end", { currentPassword: 1 }],
  ["second-factor/enrol", { currentPassword: 1 }],
  ["second-factor/confirm", { code: 1 }],
  ["second-factor/remove", { currentPassword: 1, code: "x" }],
  ["users", { email: "x", roles: ["cashier"] }],
  ["users/x/recovery", {}],
  ["users/x/disable", {}],
  ["users/x/sign-out", {}],
  ["devices/x/revoke", {}],
  ["logout", {}],
] as const;

/** One request. Everything about it comes from the dice and the target. */
export function hostileRequest(dice: Dice, target: Target): HostileRequest {
  const at = dice.below(target.devices.length);
  const device = target.devices[at] as string;
  const token = target.tokens[at] as string;
  const ref = { id: device, incarnation: dice.happens(0.97) ? (target.incarnations[at] as string) : dice.uuid() };
  const mark = target.marks.get(device);
  const marks = object(mark === undefined || dice.happens(0.02) ? {} : { push: mark, pull: mark });
  const frame = { device: object(ref), epoch: target.epoch, marks };
  const headers = {
    ...{ "tillsync-protocol": "1", "tillsync-request-id": dice.uuid(), "content-type": "application/json" },
    authorization: `Bearer ${token}`,
  };
  const post = (kind: string, path: string, body: Hostile): HostileRequest => {
    const bytes = bodyBytes(dice, textOf(body));
    const more = bytes.isGzip ? { "content-encoding": "gzip" } : {};
    return { kind, method: "POST", path, headers: { ...headers, ...more }, body: bytes.bytes, device };
  };

  const share = dice.below(100);
  if (share < 40) {
    const operations = Array.from({ length: dice.of([1, 1, 1, 2, 5, 20]) }, () =>
      dice.happens(0.15) ? operation(dice) : times(dice, dice.of([1, 1, 2, 4]), operation(dice)),
    );
    return post("valid push, hostile operations", "/sync/push", object({ ...frame, operations }));
  }
  if (share < 50) {
    const path = dice.of(MEMBERS.operation as readonly string[]).split(".");
    const operations = [withAt(dice, operation(dice), path), operation(dice)];
    return post("valid push, one member of an operation", "/sync/push", object({ ...frame, operations }));
  }
  if (share < 72) {
    const name = dice.of(["push", "pull", "register", "resolve", "discard"] as const);
    const valid: Readonly<Record<typeof name, Hostile>> = {
      push: object({ ...frame, operations: [operation(dice)] }),
      pull: object({ ...frame, schemaVersion: 1, collections: object({ customers: null }), limit: 1 + dice.below(20) }),
      register: object({ device: object({ ...ref, name: "H" }), schemaVersion: 1 }),
      resolve: object({ choice: dice.of(["server", "client"]) }),
      discard: object({ reason: "H" }),
    };
    const desk = { resolve: `conflicts/${dice.uuid()}/resolve`, discard: `quarantine/${dice.uuid()}/discard` };
    const isDesk = name === "resolve" || name === "discard";
    const path = dice.of(MEMBERS[name] as readonly string[]).split(".");
    const body = dice.happens(0.6) ? withAt(dice, valid[name], path) : times(dice, dice.of([1, 2]), valid[name]);
    return post(`hostile ${name}`, `/sync/${isDesk ? desk[name] : name}`, body);
  }
  if (share < 80) {
    const text = textOf(object({ ...frame, operations: [operation(dice)] }));
    return { ...post("bytes that are no request", "/sync/push", null), body: broken(dice, Buffer.from(text)) };
  }
  if (share < 92) {
    const strange = dice.of(HEADERS);
    const method = dice.happens(0.5) ? dice.of(["GET", "POST"]) : dice.of(METHODS.filter((each) => each !== "CONNECT"));
    const hasBody = !["GET", "HEAD"].includes(method) && dice.happens(0.7);
    return {
      ...{ kind: "methods, paths and headers", method, path: dice.of(PATHS) },
      headers: { ...headers, [strange[0]]: Buffer.from(dice.of(strange[1])).toString("latin1") },
      body: hasBody ? encoded(dice, textOf(object({ ...frame, operations: [] }))) : undefined,
    };
  }
  if (share < 95) {
    const path = `/sync/${dice.of(["conflicts", "quarantine"])}${dice.of(QUERIES)}`;
    return { kind: "queries of the desks", method: "GET", path, headers, body: undefined };
  }
  const [path, body] = dice.of(AUTH);
  // Not with a token that works: the till that it belongs to would be signed out.
  const authorization = path === "logout" || dice.happens(0.3) ? "Bearer a.b.c" : headers.authorization;
  const hostile = dice.happens(0.1) ? "x".repeat(20_000) : times(dice, dice.below(3), object(body as never));
  return { ...post("sign-in", `/auth/${path}`, hostile), headers: { ...headers, authorization }, device: undefined };
}

function bodyBytes(dice: Dice, text: string): { readonly bytes: Uint8Array; readonly isGzip: boolean } {
  // Lone surrogates stay what they are written as: escapes.
  const bytes = Buffer.from(text);
  return dice.happens(0.1) ? { bytes: gzipSync(bytes), isGzip: true } : { bytes, isGzip: false };
}

function encoded(dice: Dice, text: string): Uint8Array {
  return dice.of([Buffer.from, gzipSync, deflateSync, brotliCompressSync])(text);
}

function broken(dice: Dice, bytes: Buffer): Uint8Array {
  const at = dice.below(bytes.length);
  switch (dice.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(dice.hex(8), "hex"), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes, Buffer.from(dice.of(["{}", "\u0000", ",", "]", "//", "\ufeff"]))]);
    case 3:
      return Buffer.from(bytes.toString("utf8"), "utf16le");
    case 4:
      return Buffer.from(dice.of(["[", '{"a":']).repeat(dice.of([100, 10_000])));
    default: {
      const changedBytes = Buffer.from(bytes);
      changedBytes[at] = dice.below(256);
      return changedBytes;
    }
  }
}
