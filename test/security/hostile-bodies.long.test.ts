/**
 * Bodies that are made to hurt, sent to the reference server in a process of its own: it stays up, its memory is bounded, and an honest
 * till is served after each. What the handler answers to the smaller ones is in test/server/handler.test.ts.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../../src/protocol/constants.ts";
import { json, loginTill, RawTill, register } from "../examples/reference-server/support.ts";
import { type ServerProcess, startProcess } from "./support/process.ts";

/** Of the engine, which ends the process where that does not do. */
const HEAP_MIB = 256;
/** Of the whole process, with its code and the bodies that are outside of the heap. An idle one has 150. */
const PEAK_MIB = 640;

let server: ServerProcess;
let till: RawTill;
let token: string;
let epoch: string;

beforeAll(async () => {
  server = await startProcess(HEAP_MIB);
  const { email } = await register(server);
  const tokens = await loginTill(server, email, { device: { id: "till-1" } });
  token = tokens.accessToken;
  till = new RawTill(server, tokens);
  ({ epoch } = await json(till.post("/sync/register", { schemaVersion: 1 })));
});
afterAll(() => server.stop());

afterEach(async () => {
  expect(server.isRunning()).toBe(true);
  await honestWork();
  const memory = server.memory();
  if (memory !== undefined) expect(memory.peak).toBeLessThan(PEAK_MIB);
});

/** What a till does all day. No member is given that can be left out: what a poisoned prototype had would be taken for it. */
async function honestWork(): Promise<void> {
  const [made] = await till.push({ collection: "customers", action: "create", data: { name: "Ann" } });
  expect(made).toMatchObject({ status: "applied" });
  const collections = { categories: null };
  const pulled = await till.post("/sync/pull", { epoch, marks: {}, schemaVersion: 1, collections });
  expect([pulled.status, await pulled.text()]).toEqual([200, expect.not.stringContaining("poisoned")]);
}

interface Sent {
  readonly path?: string;
  readonly encoding?: string;
}

/** Whatever bytes; answers the status, and the code of the request's problem or of its first operation's. */
async function send(body: string | Uint8Array, { path = "/sync/push", encoding }: Sent = {}) {
  const answer = await fetch(server.url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "tillsync-protocol": "1",
      "tillsync-request-id": randomUUID(),
      authorization: `Bearer ${token}`,
      ...(encoding !== undefined && { "content-encoding": encoding }),
    },
    body: body as BodyInit,
  });
  const told = (await answer.json()) as Told;
  return [answer.status, told.code ?? told.results?.[0]?.error?.code ?? told.results?.[0]?.status];
}
interface Told {
  readonly code?: string;
  readonly results?: readonly { readonly status: string; readonly error?: { readonly code: string } }[];
}
const sendGzip = (text: string | Uint8Array) => send(gzipSync(text), { encoding: "gzip" });

const frame = () => ({ device: { id: till.device, incarnation: till.incarnation }, epoch, marks: {} });
/** With the operations as text: they may be what no program writes. */
const pushOf = (operations: string) => `${JSON.stringify(frame()).slice(0, -1)},"operations":${operations}}`;
let sequence = 1_000_000;
/** An operation with members behind its own, as text. */
function operation(members: string, action = "create", collection = "customers"): string {
  sequence += 1;
  const head = { id: randomUUID(), sequence, collection, entityId: `c-${sequence}`, schemaVersion: 1 };
  return `${JSON.stringify({ ...head, occurredAt: "2026-11-20T08:00:00.000Z", action }).slice(0, -1)},${members}}`;
}
const push = (members: string, action?: string) => pushOf(`[${operation(members, action)}]`);

/** A sale of so many lines. */
function sale(lines: number): string {
  const item = { lineId: "1", productId: "tea", name: "Tea", quantity: 1, unitPriceCents: 500 };
  const items = Array.from({ length: lines }, (_, n) => ({ ...item, lineId: `${n}` }));
  const data = { branchId: "main", items, totalCents: 500 * lines, soldAt: 1 };
  return operation(`"data":${JSON.stringify(data)}`, "create", "sales");
}

const MIB = 1_024 * 1_024;

/** Different ones, as short as they can be: three printable characters, then such as take two bytes each. */
function names(count: number): readonly string[] {
  const from = (first: number, last: number) =>
    Array.from({ length: last - first }, (_, n) => String.fromCharCode(first + n)).filter((c) => !/["\\]/.test(c));
  const [short, long] = [from(0x20, 0x7f), from(0xa0, 0x7ff)];
  const found: string[] = [];
  for (const a of short) for (const b of long) found.push(a + b);
  for (const a of short) for (const b of short) for (const c of short) if (found.length < count) found.push(a + b + c);
  for (const a of long) for (const b of long) if (found.length < count) found.push(a + b);
  return found.slice(0, count);
}
const members = (count: number) =>
  names(count)
    .map((name) => `"${name}":0`)
    .join();
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const many = (value: string, count: number) => `[${`${value},`.repeat(count)}0]`;

const malformed = [400, "malformed"];
/** Of a push of nothing, without marks: what became of the first thing that the till sent. */
const asEver = [200, "applied"];

describe("a body that is large in a way of its own", () => {
  test.each<readonly [string, () => Promise<unknown>, readonly unknown[]]>([
    ["eight million arrays, one in the other", () => send("[".repeat(8 * MIB - 1)), malformed],
    ["a million objects, one in the other", () => send('{"a":'.repeat(1_000_000)), malformed],
    [
      "two hundred arrays, one in the other, and closed",
      () => send(push(`"data":{"name":${nested(200)}}`)),
      [200, "malformed"],
    ],
    [
      "fifty, which are their operation's own fault",
      () => send(push(`"data":{"name":${nested(50)}}`)),
      [200, "malformed"],
    ],
    ["a million members", () => send(`{${members(1_000_000)}}`), malformed],
    ["a million members of one operation", () => send(push(`"data":{${members(1_000_000)}}`)), malformed],
    ["a million members of one name", () => send(push(`"data":{${'"a":0,'.repeat(1_000_000)}"a":0}`)), malformed],
    ["millions of empty objects, in 8 KB", () => sendGzip(push(`"data":{"name":${many("{}", 2_700_000)}}`)), malformed],
    ["millions of empty arrays, in 8 KB", () => sendGzip(push(`"data":{"name":${many("[]", 2_700_000)}}`)), malformed],
    ["millions of numbers", () => sendGzip(push(`"data":{"name":${many("0", 4_000_000)}}`)), malformed],
    ["millions of operations", () => sendGzip(pushOf(many("0", 4_000_000))), malformed],
    ["millions of ids to wait for", () => sendGzip(push(`"data":{},"after":${many("0", 4_000_000)}`)), malformed],
    ["millions of names to remove", () => sendGzip(push(`"unset":${many("0", 4_000_000)}`, "update")), malformed],
    ["as many members as a body may have", () => send(push(`"data":{${members(490_000)}}`)), [200, "too_large"]],
    ["as many that no operation has", () => send(push(`"data":{},${members(490_000)}`)), [200, "too_large"]],
    ["as many counters", () => send(push(`"by":{${members(490_000)}}`, "increment")), [200, "too_large"]],
    ["as many empty objects", () => send(push(`"data":{"name":${many("{}", 240_000)}}`)), [200, "too_large"]],
    ["a string of eight megabytes", () => send(push(`"data":{"name":"${"x".repeat(7 * MIB)}"}`)), [200, "too_large"]],
    ["a string of escapes", () => send(push(`"data":{"name":"${"\\u0041".repeat(MIB)}"}`)), [200, "too_large"]],
    ["a name of eight megabytes", () => send(push(`"data":{"${"x".repeat(7 * MIB)}":0}`)), [200, "too_large"]],
    [
      "a number of seven million digits",
      () => send(push(`"data":{"name":${"1".repeat(7 * MIB)}}`)),
      [200, "too_large"],
    ],
    [
      "a fraction of seven million digits",
      () => send(push(`"data":{"name":0.${"1".repeat(7 * MIB)}}`)),
      [200, "validation_failed"],
    ],
    [
      "seven megabytes of nothing",
      () => send(`${" ".repeat(7 * MIB)}${push('"data":{"name":"Ann"}')}`),
      [200, "applied"],
    ],
    ["a gzip of 8 MiB and a byte", () => sendGzip(Buffer.alloc(LIMITS.pushInflatedBytes + 1, " ")), [413, "too_large"]],
    ["a thousand times its own size of gzip", () => send(bomb(900), { encoding: "gzip" }), [413, "too_large"]],
    ["a gzip in a gzip", () => sendGzip(bomb(900)), malformed],
  ])("%s", async (_name, hurt, answered) => {
    expect(await hurt()).toEqual(answered);
  });

  test("twenty at a time of the worst that is let in", async () => {
    const worst = () => sendGzip(push(`"data":{"name":${many("{}", 240_000)}}`));
    const answers = await Promise.all(Array.from({ length: 20 }, worst));
    expect(answers).toEqual(answers.map(() => [200, "too_large"]));
  });

  test("twenty at a time of the largest that are valid: some wait, and all are served", async () => {
    const largest = gzipSync(pushOf(`[${Array.from({ length: 240 }, () => sale(235))}]`));
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(largest, { encoding: "gzip" })));
    expect(answers).toEqual(answers.map(() => [200, "applied"]));
  });

  test("twenty bombs at a time", async () => {
    const packed = bomb(900);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(packed, { encoding: "gzip" })));
    expect(answers).toEqual(answers.map(() => [413, "too_large"]));
  });
});

/** So many MiB in about as many KiB: one gzip behind the other is a gzip. */
function bomb(mib: number): Uint8Array {
  const one = gzipSync(Buffer.alloc(MIB, " "), { level: 9 });
  return Buffer.concat(Array.from({ length: mib }, () => one));
}

describe("an encoding that is not what it says", () => {
  const honest = () => push('"data":{"name":"Ann"}');
  test("gzip, for comparison", async () => {
    expect(await sendGzip(honest())).toEqual([200, "applied"]);
  });
  test.each<readonly [string, (text: string) => Uint8Array | string, string, readonly unknown[]]>([
    ["br", brotliCompressSync, "br", [415, "unsupported_encoding"]],
    ["deflate", deflateSync, "deflate", [415, "unsupported_encoding"]],
    ["gzip twice", (text) => gzipSync(gzipSync(text)), "gzip, gzip", [415, "unsupported_encoding"]],
    ["gzip and br", (text) => brotliCompressSync(gzipSync(text)), "gzip, br", [415, "unsupported_encoding"]],
    ["a word that is none", (text) => text, "none of your business", [415, "unsupported_encoding"]],
    ["gzip that is br", brotliCompressSync, "gzip", malformed],
    ["gzip that is deflate", deflateSync, "gzip", malformed],
    ["gzip that is the bare stream", deflateRawSync, "gzip", malformed],
    ["gzip that is text", (text) => text, "gzip", malformed],
    ["gzip that says it is text", gzipSync, "identity", malformed],
    ["gzip without its end", (text) => gzipSync(text).subarray(0, -8), "gzip", malformed],
    ["gzip that breaks off half-way", (text) => gzipSync(text).subarray(0, 90), "gzip", malformed],
    ["gzip with a wrong sum", (text) => withByte(gzipSync(text), -6), "gzip", malformed],
    ["gzip with a wrong length", (text) => withByte(gzipSync(text), -1), "gzip", malformed],
    ["gzip that is only a beginning", () => gzipSync("").subarray(0, 10), "gzip", malformed],
    ["nothing at all", () => "", "gzip", malformed],
  ])("%s", async (_name, encode, encoding, answered) => {
    expect(await send(encode(honest()), { encoding })).toEqual(answered);
  });
});

function withByte(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const index = changed.length + at;
  changed[index] = (changed[index] ?? 0) ^ 0xff;
  return changed;
}

describe("text that is no text", () => {
  const bytes = (...values: number[]) => Buffer.from(values);
  const around = (middle: Uint8Array) => {
    const [before = "", after = ""] = push('"data":{"name":"|"}').split("|");
    return Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]);
  };
  test.each<readonly [string, () => string | Uint8Array, readonly unknown[]]>([
    ["a byte that begins nothing", () => around(bytes(0xff)), malformed],
    ["a character that breaks off", () => around(bytes(0xe2, 0x82)), malformed],
    ["a character that is longer than it must be", () => around(bytes(0xc0, 0xaf)), malformed],
    ["half a pair, as bytes", () => around(bytes(0xed, 0xa0, 0x80)), malformed],
    ["UTF-16", () => Buffer.from(push('"data":{"name":"Ann"}'), "utf16le"), malformed],
    ["half a pair, escaped, in a value", () => push('"data":{"name":"\\ud800"}'), [200, "malformed"]],
    ["half a pair, escaped, in a name", () => push('"data":{"name":"Ann","\\udfff":1}'), [200, "malformed"]],
    ["half a pair, escaped, in a counter", () => push('"by":{"\\ud800":1}', "increment"), [200, "malformed"]],
    ["half a pair, escaped, in the actor", () => push('"data":{"name":"Ann"},"actor":"\\ud800"'), [200, "malformed"]],
    ["half a pair, escaped, in a mark", () => push("").replace('"marks":{}', '"marks":{"push":"\\ud800"}'), malformed],
    ["U+0000, escaped, in a value", () => push('"data":{"name":"\\u0000"}'), [200, "malformed"]],
    ["U+0000, as a byte", () => around(bytes(0)), malformed],
    ["numbers that JSON has not", () => push('"data":{"name":NaN}'), malformed],
    ["a number beyond all others", () => push('"data":{"name":1e999}'), [200, "malformed"]],
    ["an integer beyond 2^53", () => push('"data":{"name":9007199254740993}'), [200, "malformed"]],
    ["a step beyond all others", () => push('"by":{"points":1e999}', "increment"), [200, "malformed"]],
    ["a base that is beyond 2^53", () => push('"patch":{},"baseVersion":1e300', "update"), [200, "malformed"]],
    [
      "a schema of the far future",
      () => push('"data":{"name":"Ann"}').replace('"schemaVersion":1', '"schemaVersion":9007199254740991'),
      [200, "schema_newer"],
    ],
    [
      "a sequence beyond all others",
      () => push('"data":{"name":"Ann"}').replace(/"sequence":\d+/, '"sequence":1e999'),
      [200, "malformed"],
    ],
    ["two documents", () => `${push("")}{}`, malformed],
    ["none", () => "", malformed],
  ])("%s", async (_name, body, answered) => {
    expect(await send(body())).toEqual(answered);
  });
});

describe("a name that reaches a prototype poisons nothing, wherever it stands", () => {
  const words = ["__proto__", "constructor", "prototype"];
  // What requests may leave out, and answers: a poisoned prototype would have it.
  const poison =
    '{"limit":"poisoned","branch":"poisoned","transaction":"poisoned","deleted":"poisoned","polluted":"poisoned"}';
  const places: Readonly<
    Record<string, readonly [(name: string) => readonly [body: string, path?: string], readonly unknown[]]>
  > = {
    "a push": [(name) => [pushOf("[]").replace(/^\{/, `{"${name}":${poison},`)], asEver],
    "its device": [(name) => [pushOf("[]").replace('"device":{', `"device":{"${name}":${poison},`)], asEver],
    "its marks": [(name) => [pushOf("[]").replace('"marks":{', `"marks":{"${name}":${poison}`)], asEver],
    "an operation": [(name) => [push(`"data":{"name":"Ann"},"${name}":${poison}`)], [200, "malformed"]],
    data: [(name) => [push(`"data":{"name":"Ann","${name}":${poison}}`)], [200, "malformed"]],
    "data, deep inside": [
      (name) => [push(`"data":{"name":"Ann","a":[{"b":[{"${name}":${poison}}]}]}`)],
      [200, "malformed"],
    ],
    "the name of a member, escaped": [
      (name) => [push(`"data":{"name":"Ann","\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":${poison}}`)],
      [200, "malformed"],
    ],
    "a patch": [(name) => [push(`"baseVersion":0,"patch":{"${name}":${poison}}`, "update")], [200, "malformed"]],
    "a member to remove": [
      (name) => [push(`"baseVersion":0,"patch":{},"unset":["${name}"]`, "update")],
      [200, "malformed"],
    ],
    "a counter": [(name) => [push(`"by":{"${name}":1}`, "increment")], [200, "malformed"]],
    "assigned values": [
      (name) => [
        push(`"data":{"name":"Ann"},"acknowledged":{"epoch":"e","version":1,"assigned":{"${name}":${poison}}}`),
      ],
      [200, "malformed"],
    ],
    "a collection's name": [
      (name) => [push('"data":{"name":"Ann"}').replace('"customers"', `"${name}"`)],
      [200, "malformed"],
    ],
    "the collections of a pull": [
      (name) => [
        `${JSON.stringify(frame()).slice(0, -1)},"schemaVersion":1,"collections":{"${name}":null}}`,
        "/sync/pull",
      ],
      malformed,
    ],
    "a registration": [
      (name) => [
        JSON.stringify({ device: frame().device, schemaVersion: 1 }).replace("{", `{"${name}":${poison},`),
        "/sync/register",
      ],
      [200, undefined],
    ],
    "a settlement": [
      (name) => [`{"choice":"merged","data":{"${name}":${poison}}}`, `/sync/conflicts/${randomUUID()}/resolve`],
      malformed,
    ],
    "a query": [
      (name) => ["{}", `/sync/quarantine/${randomUUID()}/discard?${name}[limit]=poisoned&${name}=poisoned`],
      malformed,
    ],
    "a sign-in": [
      (name) => [
        `{"email":"x@shop.example","password":"wrong","${name}":${poison},"device":{"id":"d","${name}":${poison}}}`,
        "/auth/login",
      ],
      [401, "invalid_credentials"],
    ],
  };
  test.each(Object.entries(places))("%s", async (_where, [place, answered]) => {
    for (const word of words) {
      const [body, path] = place(word);
      expect([word, ...(await send(body, path === undefined ? {} : { path }))]).toEqual([word, ...answered]);
    }
  });
  test("an id: it is one like any other", async () => {
    for (const word of ["constructor", "prototype", "__proto__"]) {
      const body = push('"data":{"name":"Ann"}').replace(/"entityId":"[^"]*"/, `"entityId":"${word}"`);
      expect([word, ...(await send(body))]).toEqual([word, 200, "applied"]);
    }
  });
});

describe("a name that comes twice: the last one counts, for all who read", () => {
  test("in the frame: a device behind another is the one that is checked", async () => {
    const other = `"device":{"id":"till-2","incarnation":"${till.incarnation}"}`;
    expect(await send(pushOf("[]").replace(/\}$/, `,${other}}`))).toEqual([403, "device_mismatch"]);
    expect(await send(pushOf("[]").replace(/^\{/, `{${other},`))).toEqual(asEver);
  });
  test("in an operation: its branch behind another is the one that is checked", async () => {
    expect(await send(push('"data":{"name":"Ann"},"branch":"main","branch":"another"'))).toEqual([
      200,
      "branch_mismatch",
    ]);
    expect(await send(push('"data":{"name":"Ann"},"branch":"another","branch":"main"'))).toEqual([200, "applied"]);
  });
  test("in its data: a member behind another is the one that is stored", async () => {
    expect(await send(push('"data":{"name":"Ann","name":5}'))).toEqual([200, "validation_failed"]);
    expect(await send(push('"data":{"name":5,"name":"Ann"}'))).toEqual([200, "applied"]);
  });
});

describe("a body that does not come, or does not end", () => {
  /** A connection of its own, with a request's head. */
  async function open(head: readonly string[], path = "/sync/push"): Promise<Socket> {
    const socket = connect(server.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {}); // a server that has had enough closes it
    await once(socket, "connect");
    const headers = [
      "host: shop",
      "tillsync-protocol: 1",
      "tillsync-request-id: r-1",
      "content-type: application/json",
    ];
    socket.write([`POST ${path} HTTP/1.1`, ...headers, ...head].join("\r\n").concat("\r\n\r\n"));
    return socket;
  }
  const authorized = () => `authorization: Bearer ${token}`;

  /** The status of the answer. */
  async function answerOn(socket: Socket): Promise<number> {
    const [chunk] = await once(socket, "data");
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(chunk))?.[1]);
  }
  /** Chunks of a megabyte until there is an answer: how many it took. */
  async function pour(socket: Socket): Promise<{ readonly status: number; readonly mib: number }> {
    let status: number | undefined;
    const answered = answerOn(socket).then((found) => {
      status = found;
      return found;
    });
    const chunk = `${MIB.toString(16)}\r\n${" ".repeat(MIB)}\r\n`;
    let mib = 0;
    while (status === undefined && mib < 256) {
      mib += 1;
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), answered]);
    }
    return { status: await answered, mib };
  }

  test.each([
    ["a gigabyte that is announced", ["content-length: 1073741824"], 413],
    ["one byte too many that is announced", [`content-length: ${LIMITS.pushInflatedBytes + 1}`], 413],
    [
      "one byte too many of gzip that is announced",
      [`content-length: ${LIMITS.pushBytes + 1}`, "content-encoding: gzip"],
      413,
    ],
    ["a length that is none", ["content-length: -1"], 400],
    ["two lengths", ["content-length: 5", "content-length: 6"], 400],
    ["a length, and chunks", ["content-length: 5", "transfer-encoding: chunked"], 400],
  ])("%s is refused before it comes", async (_name, head, status) => {
    expect(await answerOn(await open([...head, authorized()]))).toBe(status);
  });

  test("chunks without end are cut off at the limit", async () => {
    const { status, mib } = await pour(await open(["transfer-encoding: chunked", authorized()]));
    expect(status).toBe(413);
    expect(mib).toBeLessThan(256);
  });

  test("nothing of a body is waited for where nobody is known, or nobody wants it", async () => {
    const chunked = "transfer-encoding: chunked";
    expect(await answerOn(await open([chunked]))).toBe(401);
    expect(await answerOn(await open([chunked, authorized()], `/sync/quarantine/${randomUUID()}/release`))).toBe(404);
    expect(await answerOn(await open([chunked, authorized()], "/sync/nowhere"))).toBe(404);
    expect(await answerOn(await open(["content-length: 1000000"], "/auth/login"))).toBe(413);
    expect(await pour(await open([chunked], "/auth/login"))).toMatchObject({ status: 413 });
  });

  test("chunks that are none end their own connection", async () => {
    const socket = await open(["transfer-encoding: chunked", authorized()]);
    socket.write("not a number\r\n");
    expect(await answerOn(socket)).toBe(400);
  });

  test("a head of a megabyte is cut off", async () => {
    const socket = await open([`x-filler: ${"x".repeat(MIB)}`, authorized()]);
    expect(await answerOn(socket)).toBe(431);
  });

  test("two hundred bodies that stop half-way hold up nobody, and are let go of when their senders go", async () => {
    const halves = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = await open([`content-length: ${LIMITS.pushInflatedBytes}`, authorized()]);
        socket.write(" ".repeat(1_024));
        return socket;
      }),
    );
    await honestWork();
    for (const socket of halves) socket.destroy();
    await honestWork();
  });

  test("a body that comes byte by byte is read like any other, while others are served", async () => {
    const body = push('"data":{"name":"Ann"}');
    const socket = await open([`content-length: ${Buffer.byteLength(body)}`, authorized()]);
    socket.setNoDelay(true);
    const answered = answerOn(socket);
    for (const [index, byte] of [...body].entries()) {
      socket.write(byte);
      if (index % 100 === 0) await honestWork();
    }
    expect(await answered).toBe(200);
  });

  test("a push whose sender goes before its last byte changes nothing", async () => {
    const id = randomUUID();
    const body = push('"data":{"name":"Ann"}').replace(/"id":"[^"]{36}"/, `"id":"${id}"`);
    const socket = await open([`content-length: ${Buffer.byteLength(body)}`, authorized()]);
    socket.write(body.slice(0, -1));
    await honestWork();
    socket.destroy();
    await honestWork();
    // It is no replay: nothing of it is known.
    const [status, became] = await send(body);
    expect([status, became]).toEqual([200, "applied"]);
  });
});

test("nothing of all this is an error to the server", () => {
  // The security log is written whatever the level is.
  const lines = server.logged().split("\n");
  expect(lines.filter((line) => line !== "" && !line.includes('"message":"security"'))).toEqual([]);
});
